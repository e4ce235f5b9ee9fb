import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount, formatRate } from './bytes';

describe('formatBytes', () => {
  test.each([
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '1.0 KiB'],
    [1024, '1.0 KiB'],
    [1434, '1.4 KiB'],
    [10_240, '10 KiB'],
    [1_022_976, '999 KiB'],
    [1_023_488, '1.0 MiB'],
    [24_117_248, '23 MiB'],
    [1_073_741_824, '1.0 GiB'],
    [5_000_000_000_000_000, '4547 TiB'],
    [-1, '0 B'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('a rate is a size for each second', () => {
    expect(formatRate(1434)).toBe('1.4 KiB/s');
  });

  test('large counts are grouped', () => {
    expect(formatCount(50_000)).toBe('50,000');
  });
});
