import { expect, test } from 'vitest';
import { parted } from './parted';

test('of a long name the end stays in sight', () => {
  expect(parted('settlement-reconciliation-service-v2')).toEqual([
    'settlement-reconciliation-se',
    'rvice-v2',
  ]);
});

test('short names and other scripts are whole', () => {
  expect(parted('orders')).toEqual(['orders', '']);
  expect(parted('خدمة-الطلبات-خدمة-الطلبات-خدمة')[1]).toBe('');
  expect(parted('several words of an error that is long')[1]).toBe('');
});
