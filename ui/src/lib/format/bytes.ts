const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** As `0 B`, `812 B`, `1.4 KiB`, `23 MiB`: at most three figures. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.5 would be written with four figures, so it is the next unit's.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const figures = unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value).toString();
  return `${figures} ${UNITS[unit]}`;
}

/** As `1.4 KiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** As `12`, `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-GB');
}
