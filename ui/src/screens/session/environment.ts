import type { EnvironmentFormat, Variable } from '$lib/backend/types';

/** Which variables are shown. */
export type EnvironmentFilter = 'all' | 'changed' | 'secrets' | 'differ';

/** Whether the program has another value than the container in the cluster. */
export function isChanged(variable: Variable): boolean {
  return variable.clusterValue !== null || variable.staysLocal || variable.originKind === 'towline';
}

const KEEPS: Record<EnvironmentFilter, (variable: Variable) => boolean> = {
  all: () => true,
  changed: isChanged,
  secrets: (variable) => variable.secret,
  differ: (variable) => variable.here === 'different',
};

/** The variables of a filter that have all the words, in their name, value or origin; case does not count. */
export function filtered(
  variables: Variable[],
  filter: EnvironmentFilter,
  text: string,
): Variable[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return variables.filter((variable) => KEEPS[filter](variable) && hasAll(variable, words));
}

function hasAll({ name, value, origin }: Variable, words: string[]): boolean {
  if (words.length === 0) return true;
  const text = `${name}\n${value ?? ''}\n${origin}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** A value cut at its edges: blanks at the ends are easily overlooked, and they count. */
export interface Edges {
  before: string;
  middle: string;
  after: string;
}

export function edges(value: string): Edges {
  const middle = value.trim();
  if (middle === '') return { before: value, middle: '', after: '' };
  const start = value.indexOf(middle);
  return {
    before: value.slice(0, start),
    middle,
    after: value.slice(start + middle.length),
  };
}

/** Blanks made visible. */
export function visible(blanks: string): string {
  return blanks
    .replaceAll(' ', '·')
    .replaceAll('\t', '→')
    .replaceAll('\r', '␍')
    .replaceAll('\n', '↵');
}

/** How many lines a value has; a line break at the end begins no other one. */
export function lineCount(value: string): number {
  return value.replace(/\n$/, '').split('\n').length;
}

/** The forms in which the environment can be copied. */
export const FORMATS: { format: EnvironmentFormat; label: string }[] = [
  { format: 'dotenv', label: '.env file' },
  { format: 'shell', label: 'Shell (export)' },
  { format: 'powerShell', label: 'PowerShell' },
  { format: 'docker', label: 'docker run' },
  { format: 'launchJson', label: 'launch.json' },
];
