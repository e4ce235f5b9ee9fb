import { computeCommandScore } from 'bits-ui';

interface Ranked {
  label: string;
  /** Other words by which it is found. */
  words?: string[];
}

/** What fits the typed text, the best first; everything in its own order where nothing is typed. */
export function rank<T extends Ranked>(typed: string, all: T[]): T[] {
  const text = typed.trim();
  if (text === '') return all;
  return all
    .map((entry) => ({ entry, score: computeCommandScore(entry.label, text, entry.words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ entry }) => entry);
}
