import { expect, test } from 'vitest';
import { badChecks, goodChecks } from '$lib/backend/fake/data/diagnosis';
import { grouped, summary } from './groups';

test('groups keep the order in which they came', () => {
  const groups = grouped(badChecks('x'));
  expect(groups.map(({ name }) => name)).toEqual(['This machine', 'production', 'sandbox']);
  expect(groups[0]?.checks.map(({ id }) => id)).toEqual([
    'hosts',
    'helper',
    'kubeconfig',
    'plugins',
    'path',
    'leftovers',
  ]);
});

test('the summary names the worst first', () => {
  expect(summary(badChecks('x'))).toEqual({ tone: 'bad', text: '4 problems, 5 warnings' });
  expect(summary(goodChecks())).toEqual({ tone: 'good', text: 'Nothing stands in the way' });
  const one = badChecks('x')
    .filter(({ tone }) => tone === 'warning')
    .slice(0, 1);
  expect(summary(one)).toEqual({ tone: 'warning', text: '1 warning' });
});
