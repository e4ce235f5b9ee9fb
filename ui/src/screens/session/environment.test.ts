import { describe, expect, test } from 'vitest';
import { environment } from '$lib/backend/fake/data/environment';
import { edges, filtered, isChanged, lineCount, visible } from './environment';

const all = environment();
const names = (variables: typeof all) => variables.map(({ name }) => name);

describe('filtered', () => {
  test('without a filter all are there, in their order', () => {
    expect(filtered(all, 'all', '  ')).toEqual(all);
  });

  test('all words must occur, in name, value or origin, whatever their case', () => {
    expect(names(filtered(all, 'all', 'redis SECRET'))).toEqual(['REDIS_PASSWORD']);
    expect(names(filtered(all, 'all', '10.244.0.37'))).toEqual(['POD_IP']);
    expect(filtered(all, 'all', 'redis nowhere')).toEqual([]);
  });

  test('a masked value is not looked into', () => {
    expect(filtered(all, 'all', 'sesame')).toEqual([]);
  });

  test('secrets', () => {
    expect(names(filtered(all, 'secrets', ''))).toEqual([
      'CERTIFICATE',
      'PAYMENT_TOKEN',
      'REDIS_PASSWORD',
    ]);
  });

  test('what differs here', () => {
    expect(names(filtered(all, 'differ', ''))).toEqual([
      'HOSTNAME',
      'PAYMENT_TOKEN',
      'SHOP_REGION',
    ]);
  });

  test('what was changed: rewritten, kept from this machine, or made by Towline', () => {
    const changed = names(filtered(all, 'changed', ''));
    expect(changed).toContain('REDIS_SERVICE_HOST');
    expect(changed).toContain('PATH');
    expect(changed).toContain('CATALOGUE_SERVICE_PORT');
    expect(changed).not.toContain('REDIS_PORT_6379_TCP_PROTO');
    expect(all.filter(isChanged)).toHaveLength(changed.length);
  });
});

test.each([
  ['plain', { before: '', middle: 'plain', after: '' }],
  ['  spaces  ', { before: '  ', middle: 'spaces', after: '  ' }],
  ['a\n\n b\n', { before: '', middle: 'a\n\n b', after: '\n' }],
  ['   ', { before: '   ', middle: '', after: '' }],
])('the edges of %j', (value, cut) => {
  expect(edges(value)).toEqual(cut);
  expect(cut.before + cut.middle + cut.after).toBe(value);
});

test('blanks are made visible', () => expect(visible(' \t\r\n')).toBe('·→␍↵'));

test.each([
  ['one', 1],
  ['one\n', 1],
  ['one\ntwo', 2],
  ['one\n\nthree\n', 3],
])('%j has %d lines', (value, lines) => expect(lineCount(value)).toBe(lines));
