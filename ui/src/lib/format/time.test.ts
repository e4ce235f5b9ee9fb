import { describe, expect, test } from 'vitest';
import {
  formatAge,
  formatAgo,
  formatClock,
  formatDuration,
  formatRecent,
  formatSpan,
} from './time';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [48.4, '48 ms'],
  [999, '999 ms'],
  [1240, '1.2 s'],
  [9940, '9.9 s'],
  [9960, '10 s'],
  [14_000, '14 s'],
  [125_000, '2 min 5 s'],
  [2 * MINUTE, '2 min'],
])('%d ms took %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test.each([
  [0, '0 s'],
  [1499, '1 s'],
  [HOUR + 4 * MINUTE, '1 h 4 min'],
  [51 * HOUR, '2 d 3 h'],
  [24 * HOUR, '1 d'],
])('a span of %d ms is %s', (milliseconds, text) => {
  expect(formatSpan(milliseconds)).toBe(text);
});

test.each([
  [0, 'now'],
  [14_000, '14 s ago'],
  [5 * MINUTE, '5 min ago'],
  [3 * HOUR, '3 h ago'],
  [49 * HOUR, '2 d ago'],
  [-3000, 'now'],
])('%d ms before now is %s', (milliseconds, text) => {
  expect(formatAgo(1_000_000_000 - milliseconds, 1_000_000_000)).toBe(text);
});

test.each([
  [-1, '0s'],
  [5_999, '5s'],
  [12 * MINUTE, '12m'],
  [3 * HOUR + MINUTE, '3h'],
  [100 * HOUR, '4d'],
])('an age of %d ms is %s', (milliseconds, text) => {
  expect(formatAge(milliseconds)).toBe(text);
});

describe('formatClock', () => {
  const time = new Date(2026, 10, 26, 9, 3, 7, 5).getTime();

  test('has seconds', () => expect(formatClock(time)).toBe('09:03:07'));
  test('has milliseconds when asked', () =>
    expect(formatClock(time, 'milliseconds')).toBe('09:03:07.005'));
});

test('what is as recent as usual has one text', () => {
  expect(formatRecent(1000, 1000, 15_000)).toBe('just now');
  expect(formatRecent(1000, 15_999, 15_000)).toBe('just now');
  expect(formatRecent(1000, 16_000, 15_000)).toBe('15 s ago');
});
