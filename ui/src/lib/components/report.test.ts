import { expect, test } from 'vitest';
import { asReport } from './report';

test('a report stays what it is', () => {
  const report = { code: 'busy', message: 'Busy.', hint: null, detail: null };
  expect(asReport(report)).toBe(report);
});

test('anything else becomes an internal fault with its text as detail', () => {
  expect(asReport('no such command')).toMatchObject({
    code: 'internal',
    detail: 'no such command',
  });
  expect(asReport(new Error('boom')).detail).toContain('boom');
});
