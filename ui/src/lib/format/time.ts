/** How long something took, as `0 ms`, `48 ms`, `1.2 s`, `14 s`, `2 min 5 s`, `1 h 4 min`, `2 d 3 h`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  return formatSpan(ms);
}

/** How long something lasts, in whole seconds, as `0 s`, `14 s`, `2 min 5 s`. Does not flicker as it counts. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** How long ago, in one unit, as `now`, `14 s ago`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function formatAgo(then: number, now: number): string {
  const seconds = Math.floor((now - then) / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/**
 * As `formatAgo`, but anything within `usual` milliseconds is `just now`: a text that changes every second while all is well has the window painted
 * every second.
 */
export function formatRecent(then: number, now: number, usual: number): string {
  return now - then < usual ? 'just now' : formatAgo(then, now);
}

/** An age in one unit for a dense table, as `5s`, `12m`, `3h`, `4d`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The time of day, as `14:03:09`, or with milliseconds. */
export function formatClock(
  time: number,
  precision: 'seconds' | 'milliseconds' = 'seconds',
): string {
  const date = new Date(time);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  if (precision === 'seconds') return clock;
  return `${clock}.${date.getMilliseconds().toString().padStart(3, '0')}`;
}

function two(value: number): string {
  return value.toString().padStart(2, '0');
}
