import type { Cluster } from '$lib/backend/types';
import type { Option } from '$lib/components/Picker.svelte';

/** Stands for all namespaces in the picker; no namespace can be named so. */
export const ALL = '*';

/** All namespaces, then each: those that are watched first, also those that cannot be listed. */
export function namespaceOptions(cluster: Cluster): Option[] {
  const known = new Set([...cluster.watched, ...cluster.namespaces]);
  const names = [...known].map((name) => ({
    value: name,
    label: name,
    note: name === cluster.defaultNamespace ? 'the context’s own' : undefined,
  }));
  return [{ value: ALL, label: 'All namespaces' }, ...names];
}

/** The watched namespaces with one added or taken away; none left means all of them. */
export function toggled(watched: string[], value: string): string[] {
  if (value === ALL) return [];
  return watched.includes(value) ? watched.filter((name) => name !== value) : [...watched, value];
}

export function watchedText(watched: string[]): string {
  const [first, ...others] = watched;
  if (first === undefined) return 'All namespaces';
  return others.length === 0 ? first : `${first} + ${others.length}`;
}
