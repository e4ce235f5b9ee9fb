import { expect, test } from 'vitest';
import { linePath } from './sparkline';

test('zero is at the bottom and the greatest value at the top', () => {
  expect(linePath([0, 10, 5], 100, 20)).toBe('M0 19L50 1L100 10');
});

test('a quiet line stays at the bottom', () => {
  expect(linePath([0, 0], 100, 20)).toBe('M0 19L100 19');
  expect(linePath([1, 1], 100, 21, 100)).toBe('M0 19.81L100 19.81');
});

test('less than two values draw nothing', () => {
  expect(linePath([], 100, 20)).toBe('');
  expect(linePath([4], 100, 20)).toBe('');
});
