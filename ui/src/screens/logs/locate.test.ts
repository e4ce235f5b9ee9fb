import { expect, test } from 'vitest';
import type { LogPage } from '$lib/backend/types';
import { locate } from './locate';

/** A log that shows the lines of these numbers. */
function log(numbers: number[]) {
  let reads = 0;
  const read = async (offset: number, limit: number): Promise<LogPage> => {
    reads += 1;
    return {
      shown: numbers.length,
      offset,
      matches: 0,
      next: (numbers.at(-1) ?? 0) + 1,
      dropped: 0,
      lines: numbers.slice(offset, offset + limit).map((number) => ({
        number,
        time: 0,
        source: 'programOut' as const,
        origin: '',
        text: '',
        cutFrom: null,
        matches: false,
      })),
    };
  };
  return { read, reads: () => reads };
}

const thousand = Array.from({ length: 1000 }, (_, index) => 5001 + index);

test('a line of a log without gaps is found with two reads', async () => {
  const { read, reads } = log(thousand);
  expect(await locate(read, 5700)).toEqual({ index: 699, found: true });
  expect(reads()).toBe(2);
});

test('a line that was let go gives the first one', async () => {
  const { read } = log(thousand);
  expect(await locate(read, 17)).toEqual({ index: 0, found: false });
  expect(await locate(read, 5001)).toEqual({ index: 0, found: true });
});

test('a number that has not come gives the place after the last line', async () => {
  const { read } = log(thousand);
  expect(await locate(read, 9000)).toEqual({ index: 1000, found: false });
});

test('with gaps every line is found, and for those in a gap the next one', async () => {
  const numbers = Array.from({ length: 400 }, (_, index) => 10 + index * index);
  const { read } = log(numbers);
  for (const index of [0, 1, 2, 57, 199, 398, 399]) {
    expect(await locate(read, numbers[index] ?? 0)).toEqual({ index, found: true });
  }
  expect(await locate(read, (numbers[200] ?? 0) + 1)).toEqual({ index: 201, found: false });
});

test('the search halves: 50,000 lines need at most 18 reads', async () => {
  const numbers = Array.from({ length: 50_000 }, (_, index) => index * 3 + (index % 2));
  const { read, reads } = log(numbers);
  expect((await locate(read, 75_001)).found).toBe(numbers.includes(75_001));
  expect(reads()).toBeLessThanOrEqual(18);
});

test('an empty log has the place 0', async () => {
  expect(await locate(log([]).read, 3)).toEqual({ index: 0, found: false });
});
