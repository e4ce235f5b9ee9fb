import type { LogPage } from '$lib/backend/types';

/** Reads a page at a place among the lines that a query shows. */
type Read = (offset: number, limit: number) => Promise<LogPage>;

export interface Located {
  /** The place of the first line whose number is not below the one that was looked for. */
  index: number;
  /** Whether that line itself is still there. */
  found: boolean;
}

/**
 * Finds the place of a line by its number. Numbers ascend, but a filter leaves gaps, and the ring lets old
 * lines go: so the first guess is that there are no gaps, and from there the search halves.
 */
export async function locate(read: Read, number: number): Promise<Located> {
  const head = await read(0, 1);
  const first = head.lines[0];
  if (!first || number <= first.number) {
    return { index: 0, found: first?.number === number };
  }
  let low = 0; // holds a number below the wanted one
  let high = head.shown; // beyond the last, or holds one that is not below
  let at = Math.min(number - first.number, head.shown - 1);
  while (high - low > 1) {
    at = Math.min(Math.max(at, low + 1), high - 1);
    const line = (await read(at, 1)).lines[0];
    if (line?.number === number) return { index: at, found: true };
    if (line && line.number < number) low = at;
    else high = at;
    at = Math.floor((low + high) / 2);
  }
  return { index: high, found: false };
}
