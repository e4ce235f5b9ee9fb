import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RowsPage, RowsQuery } from '$lib/backend/types';
import { pod } from '$lib/backend/fake/data/shop';
import { PAGE, RowPages } from './rows.svelte';

const OF = {
  context: 'sandbox',
  table: 'pods',
  filter: '',
  sort: 'name',
  descending: false,
} as const;

let revision: number;
let count: number;
const rows = vi.fn<(query: RowsQuery) => Promise<RowsPage>>();
let pages: RowPages;

beforeEach(() => {
  vi.useFakeTimers();
  revision = 1;
  count = 1000;
  rows.mockReset().mockImplementation(async ({ offset, limit, filter }) => ({
    revision,
    total: count,
    matched: filter ? 1 : count,
    offset,
    rows: Array.from({ length: Math.min(limit, count - offset) }, (_, index) =>
      pod('shop', `${filter}pod-${offset + index}-at-${revision}`),
    ),
  }));
  pages = new RowPages(() => ({ rows }));
});

afterEach(() => {
  pages.close();
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

test('only pages in sight are asked for', async () => {
  pages.ask(OF);
  await settle();
  pages.see(0, 30);
  await settle();
  expect(rows).toHaveBeenCalledTimes(1);
  expect(pages.matched).toBe(1000);
  expect(pages.at(3)?.name).toBe('pod-3-at-1');
  expect(pages.at(PAGE * 2)).toBeUndefined();

  pages.see(PAGE * 2 - 5, PAGE * 2 + 20);
  await settle();
  expect(rows.mock.calls.map(([query]) => query.offset)).toEqual([0, PAGE, PAGE * 2]);
  expect(pages.indexOf(pages.at(PAGE * 2)?.key ?? '')).toBe(PAGE * 2);
});

test('two hundred changes a second are read five times a second, and the last one is shown', async () => {
  pages.ask(OF);
  await settle();
  rows.mockClear();
  for (let change = 0; change < 200; change++) {
    revision += 1;
    pages.refresh(revision);
    await vi.advanceTimersByTimeAsync(5);
  }
  await vi.advanceTimersByTimeAsync(400);
  expect(rows.mock.calls.length).toBeLessThanOrEqual(7);
  expect(pages.at(0)?.name).toBe(`pod-0-at-${revision}`);
});

test('a change while its answer is under way is not lost', async () => {
  pages.ask(OF);
  await settle();
  pages.refresh(2);
  revision = 1;
  await settle();
  revision = 2;
  await vi.advanceTimersByTimeAsync(500);
  expect(pages.at(0)?.name).toBe('pod-0-at-2');
});

test('the rows stay until the filter’s answer is there, and a late answer is thrown away', async () => {
  pages.ask(OF);
  await settle();
  let late: (page: RowsPage) => void = () => {};
  rows.mockImplementationOnce(() => new Promise((resolve) => (late = resolve)));
  pages.ask({ ...OF, filter: 'o' });
  await settle();
  expect(pages.at(0)?.name).toBe('pod-0-at-1');

  pages.ask({ ...OF, filter: 'orders-' });
  await settle();
  expect(pages.at(0)?.name).toBe('orders-pod-0-at-1');
  late({ revision: 1, total: 1, matched: 1, offset: 0, rows: [pod('shop', 'late')] });
  await settle();
  expect(pages.at(0)?.name).toBe('orders-pod-0-at-1');
});

test('a failure is shown, and trying again reads', async () => {
  rows.mockRejectedValueOnce({ code: 'internal', message: 'No.', hint: null, detail: null });
  pages.ask(OF);
  await settle();
  expect(pages.failed?.message).toBe('No.');
  pages.retry();
  await settle();
  expect(pages.failed).toBeNull();
  expect(pages.loaded).toBe(true);
});
