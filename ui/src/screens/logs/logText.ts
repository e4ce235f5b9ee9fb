import type { LogSource } from '$lib/backend/types';

/** Longer lines are drawn only this far until the user asks for the rest: a screen of them stays quick. */
export const DRAWN = 2000;

/** A part of a line; `hit` where it is what was looked for. */
export interface Part {
  text: string;
  hit: boolean;
}

/** Cuts a line at what is looked for; case does not count. */
export function parts(text: string, search: string): Part[] {
  if (search === '') return [{ text, hit: false }];
  const pattern = new RegExp(search.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu');
  const found: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), hit: false });
    found.push({ text: match[0], hit: true });
    end = match.index + match[0].length;
  }
  if (end < text.length || found.length === 0) found.push({ text: text.slice(end), hit: false });
  return found;
}

/** As much of a long line as is drawn; never half of a surrogate pair. */
export function drawn(text: string): string {
  if (text.length <= DRAWN) return text;
  const last = text.charCodeAt(DRAWN - 1);
  const halved = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, halved ? DRAWN - 1 : DRAWN);
}

/** What tells a pod from its sisters is the end of its name. */
export function shortOrigin(origin: string): string {
  return origin.length <= 14 ? origin : `…${origin.slice(-11)}`;
}

const LABELS: Record<LogSource, string> = {
  programOut: 'program',
  programErr: 'stderr',
  agent: 'agent',
  pod: 'pod',
  towline: 'towline',
};

/** The source in a word. */
export function sourceLabel(source: LogSource): string {
  return LABELS[source];
}

/** What the source is, for the list that one picks from. */
export const SOURCE_NAMES: Record<LogSource, string> = {
  programOut: 'Program',
  programErr: 'Program, standard error',
  agent: 'Agent',
  pod: 'Pods',
  towline: 'Towline',
};
