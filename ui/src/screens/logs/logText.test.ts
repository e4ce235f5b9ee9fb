import { describe, expect, test } from 'vitest';
import { drawn, DRAWN, parts, shortOrigin } from './logText';

const joined = (text: string, search: string) =>
  parts(text, search)
    .map((part) => (part.hit ? `[${part.text}]` : part.text))
    .join('');

describe('parts', () => {
  test.each([
    ['GET /orders 200', '', 'GET /orders 200'],
    ['GET /orders 200', 'ORDERS', 'GET /[orders] 200'],
    ['aaa', 'a', '[a][a][a]'],
    ['a.b*c', '.b*', 'a[.b*]c'],
    ['größer GRÖSSER', 'grö', '[grö]ßer [GRÖ]SSER'],
    ['nothing here', 'x', 'nothing here'],
    ['', 'x', ''],
    ['🍵 tea', '🍵', '[🍵] tea'],
  ])('%s, looked for %s', (text, search, marked) => {
    expect(joined(text, search)).toBe(marked);
  });

  test('nothing of the line is lost', () => {
    const text = 'one two one two';
    const all = parts(text, 'two').map((part) => part.text);
    expect(all.join('')).toBe(text);
  });
});

describe('drawn', () => {
  test('a line of usual length is whole', () =>
    expect(drawn('x'.repeat(DRAWN))).toHaveLength(DRAWN));
  test('a long one is cut', () => expect(drawn('x'.repeat(10_000))).toHaveLength(DRAWN));
  test('no character is cut in two', () => {
    const text = `${'x'.repeat(DRAWN - 1)}🍵 and more`;
    expect(drawn(text)).toBe('x'.repeat(DRAWN - 1));
  });
});

test.each([
  ['', ''],
  ['catalogue-0', 'catalogue-0'],
  ['orders-6f7c9d5b48-2xkqp', '…d5b48-2xkqp'],
])('%s is told apart by %s', (origin, short) => {
  expect(shortOrigin(origin)).toBe(short);
});
