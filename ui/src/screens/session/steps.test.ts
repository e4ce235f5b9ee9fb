import { expect, test } from 'vitest';
import { beginning, brokenOff, ended, ordersSession } from '$lib/backend/fake/data/session';
import { World } from '$lib/backend/fake/world';
import { shownSteps } from './steps';

const world = new World('idle');

test('on the way in: done ones with their times, the present one counting, the others ahead', () => {
  const began = world.ago(2);
  const session = ordersSession(world, beginning(world, began, 2));
  const steps = shownSteps(session, began + 1860);
  expect(steps.map(({ state }) => state)).toEqual([
    'done',
    'done',
    'now',
    'ahead',
    'ahead',
    'ahead',
  ]);
  expect(steps.map(({ took }) => took)).toEqual([18, 842, 1000, null, null, null]);
  expect(steps[2]?.word).toBe('Put the agent in place');
});

test('on the way out: its own steps', () => {
  const session = ordersSession(world);
  session.phase = { phase: 'stopping', step: 'rollback' };
  session.steps.push(
    { step: 'restore', began: 1000, took: 40, failed: false },
    { step: 'rollback', began: 1040, took: null, failed: false },
  );
  expect(shownSteps(session, 1540)).toMatchObject([
    { step: 'restore', state: 'done', took: 40 },
    { step: 'rollback', state: 'now', took: 500 },
    { step: 'sweep', state: 'ahead', took: null },
  ]);
});

test('where it broke off, the step has failed and its time stands still', () => {
  const began = world.ago(20);
  const session = ordersSession(world, {
    ...beginning(world, began, 1),
    steps: brokenOff(began),
    phase: ended('failed', 'bad', 'no'),
    since: began + 5018,
  });
  expect(shownSteps(session, began + 90_000)[1]).toMatchObject({ state: 'failed', took: 5000 });
});

test('of a step that was done twice the last one counts', () => {
  const session = ordersSession(world, beginning(world, 0, 0));
  session.steps = [
    { step: 'lease', began: 0, took: 5, failed: false },
    { step: 'lease', began: 900, took: null, failed: false },
  ];
  expect(shownSteps(session, 1000)[0]).toMatchObject({ state: 'now', took: 100 });
});

test('a step of a later version keeps its name', () => {
  const session = ordersSession(world, beginning(world, 0, 0));
  session.steps.push({ step: 'hosts', began: 0, took: 3, failed: false });
  expect(shownSteps(session, 0).at(-1)).toMatchObject({ word: 'hosts', state: 'done' });
});
