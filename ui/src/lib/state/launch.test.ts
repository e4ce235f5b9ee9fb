import { expect, test } from 'vitest';
import type { Profile } from '$lib/backend/types';
import { incomplete, parsePort, profileName, requestFor, words } from './launch';

const ROW = { namespace: 'shop', target: 'service/orders' };

test('a row that was never launched gets an empty form', () => {
  const request = requestFor('sandbox', ROW, [], null);
  expect(request).toMatchObject({
    context: 'sandbox',
    namespace: 'shop',
    target: 'service/orders',
    program: { start: 'byUser' },
    takeOver: false,
  });
  expect(profileName(request)).toBe('orders (shop)');
});

test('a row that was launched before gets the form of then, but takes nobody’s session over', () => {
  const request = requestFor('sandbox', ROW, [], null);
  request.program = { start: 'command', line: './orders', directory: '/src' };
  request.takeOver = true;
  const profile: Profile = { id: '1', name: 'mine', request, used: 1 };
  const again = requestFor('sandbox', ROW, [profile], null);
  expect(again.program).toEqual({ start: 'command', line: './orders', directory: '/src' });
  expect(again.takeOver).toBe(false);
  expect(again).not.toBe(request);
  expect(requestFor('staging', ROW, [profile], null).program.start).toBe('byUser');
});

test('ports are whole numbers from 1 to 65535', () => {
  expect(parsePort('8080')).toBe(8080);
  expect(parsePort('65535')).toBe(65_535);
  for (const wrong of ['', '0', '65536', '80.5', '-1', 'http', ' ']) {
    expect(parsePort(wrong), wrong).toBeNull();
  }
});

test('what is missing is said', () => {
  const whole = requestFor('sandbox', ROW, [], null);
  expect(incomplete(whole)).toBeNull();
  expect(incomplete({ ...whole, target: ' ' })).toMatch(/target/);
  expect(incomplete({ ...whole, namespace: '' })).toMatch(/namespace/);
  const command = { start: 'command', line: ' ', directory: null } as const;
  expect(incomplete({ ...whole, program: command })).toMatch(/command/);
  expect(incomplete({ ...whole, leaseSeconds: 4 })).toMatch(/5 to 3,600/);
  expect(incomplete({ ...whole, leaseSeconds: Number('x') })).toMatch(/5 to 3,600/);
});

test('namespaces are parted by spaces and commas', () => {
  expect(words(' shop, monitoring  shop ')).toEqual(['shop', 'monitoring']);
  expect(words('')).toEqual([]);
});
