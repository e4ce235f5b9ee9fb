/** An SVG path through the values, oldest at the left, zero at the bottom; empty under two values. */
export function linePath(values: number[], width: number, height: number, floor = 1): string {
  if (values.length < 2) return '';
  const top = Math.max(floor, ...values);
  const step = width / (values.length - 1);
  return values
    .map((value, index) => {
      const x = round(index * step);
      const y = round(height - 1 - (Math.max(0, value) / top) * (height - 2));
      return `${index === 0 ? 'M' : 'L'}${x} ${y}`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
