/** A value in the review that is longer is cut at first: a container's command can be a whole program. */
export const CUT_AT = 240;

/** The value's beginning, never half of a character. */
export function cut(value: string): string {
  if (value.length <= CUT_AT) return value;
  const half = value.charCodeAt(CUT_AT - 1) >= 0xd800 && value.charCodeAt(CUT_AT - 1) <= 0xdbff;
  return value.slice(0, half ? CUT_AT - 1 : CUT_AT);
}
