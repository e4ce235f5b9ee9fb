import type { DiagnosticCheck, Tone } from '$lib/backend/types';

export interface Group {
  name: string;
  checks: DiagnosticCheck[];
}

/** The checks by group, in the order in which they came. */
export function grouped(checks: DiagnosticCheck[]): Group[] {
  const groups = new Map<string, DiagnosticCheck[]>();
  for (const check of checks) groups.set(check.group, [...(groups.get(check.group) ?? []), check]);
  return [...groups].map(([name, inGroup]) => ({ name, checks: inGroup }));
}

/** The result in a word, beside its shape. */
export const WORDS: Record<Tone, string> = {
  good: 'Good',
  neutral: 'Note',
  warning: 'Warning',
  bad: 'Problem',
};

/** All of it in a sentence, the worst first. */
export function summary(checks: DiagnosticCheck[]): { tone: Tone; text: string } {
  const count = (tone: Tone) => checks.filter((check) => check.tone === tone).length;
  const bad = count('bad');
  const warnings = count('warning');
  const parts = [
    bad > 0 ? `${bad} ${bad === 1 ? 'problem' : 'problems'}` : '',
    warnings > 0 ? `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : '',
  ].filter(Boolean);
  if (parts.length === 0) return { tone: 'good', text: 'Nothing stands in the way' };
  return { tone: bad > 0 ? 'bad' : 'warning', text: parts.join(', ') };
}
