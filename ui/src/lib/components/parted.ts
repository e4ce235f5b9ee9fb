/** Names that differ often do so at the end: that many characters stay when a name is cut. */
const TAIL = 8;
/** Shorter ones are seldom cut. */
const LONG = 24;

/**
 * A long name as what may be cut and what stays. Only of plain letters: in other scripts a letter's
 * form depends on its neighbours.
 */
export function parted(name: string): [head: string, tail: string] {
  if (name.length < LONG || !/^[\x21-\x7e]+$/.test(name)) return [name, ''];
  return [name.slice(0, -TAIL), name.slice(-TAIL)];
}
