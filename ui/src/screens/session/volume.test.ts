import { expect, test } from 'vitest';
import { crumbs, described, joined, share, standing } from './volume';

test('the way to a directory', () => {
  expect(crumbs('', '/data')).toEqual([{ path: '', name: '/data' }]);
  expect(crumbs('a/b', '/data').map(({ path }) => path)).toEqual(['', 'a', 'a/b']);
  expect(joined('', 'a')).toBe('a');
  expect(joined('a/b', 'c')).toBe('a/b/c');
});

test('how much is done', () => {
  expect(share({ bytes: 5, total: 10 })).toBe(0.5);
  expect(share({ bytes: 15, total: 10 })).toBe(1);
  expect(share({ bytes: 0, total: 0 })).toBeNull();
  expect(share({ bytes: 5, total: null })).toBeNull();
});

test('a file is told by its size and its age', () => {
  const file = { size: 2048, modified: 40_000 };
  expect(described(file, 100_000)).toMatch(/^2\.0 KiB, changed 1 min ago \(\d\d:\d\d:40\)$/);
});

test('how a volume stands', () => {
  const now = 100_000;
  const word = (state: Parameters<typeof standing>[0]) => standing(state, now).word;
  expect(word({ state: 'fetching', bytes: 1024, total: null, files: 1 })).toBe('Fetching, 1.0 KiB');
  expect(word({ state: 'fetched', at: now, files: 1, bytes: 10 })).toContain('1 file, 10 B');
  expect(word({ state: 'fresh', since: now - 60_000 })).toContain('As in the pod');
});
