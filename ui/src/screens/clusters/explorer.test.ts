import { expect, test } from 'vitest';
import { cluster } from '$lib/backend/fake/data/shop';
import { View } from '$lib/state/explorer.svelte';
import { columnsOf } from './columns';
import { ALL, namespaceOptions, toggled, watchedText } from './namespaces';
import { step } from './step';

test('keys move within the rows', () => {
  expect(step('ArrowDown', 0, 3, 10)).toBe(1);
  expect(step('ArrowDown', 2, 3, 10)).toBe(2);
  expect(step('ArrowUp', 0, 3, 10)).toBe(0);
  expect(step('PageDown', 5, 5000, 20)).toBe(25);
  expect(step('PageUp', 5, 5000, 20)).toBe(0);
  expect(step('End', 0, 5000, 20)).toBe(4999);
  expect(step('Home', 4999, 5000, 20)).toBe(0);
  expect(step('x', 1, 3, 10)).toBeNull();
});

test('the namespace is a column only where rows of several are shown', () => {
  const ids = (spaced: boolean) => columnsOf('pods', spaced).map(({ id }) => id);
  expect(ids(false)).not.toContain('namespace');
  expect(ids(true)).toContain('namespace');
});

test('namespaces that cannot be listed are still offered while they are watched', () => {
  const options = namespaceOptions(cluster('a', { namespaces: ['shop'], watched: ['secret'] }));
  expect(options.map(({ value }) => value)).toEqual([ALL, 'secret', 'shop']);
});

test('namespaces are added and taken away; none means all', () => {
  expect(toggled(['shop'], 'default')).toEqual(['shop', 'default']);
  expect(toggled(['shop'], 'shop')).toEqual([]);
  expect(toggled(['shop'], ALL)).toEqual([]);
  expect(watchedText([])).toBe('All namespaces');
  expect(watchedText(['shop'])).toBe('shop');
  expect(watchedText(['shop', 'default', 'x'])).toBe('shop + 2');
});

test('sorting by the same column turns the order', () => {
  const view = new View();
  view.sortBy('age');
  expect([view.sort, view.descending]).toEqual(['age', false]);
  view.sortBy('age');
  expect([view.sort, view.descending]).toEqual(['age', true]);
  view.show('pods');
  expect([view.table, view.sort, view.descending]).toEqual(['pods', 'name', false]);
});
