// @vitest-environment jsdom
import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { install, type Backend } from '$lib/backend';
import { planFor } from '$lib/backend/fake/data/plan';
import { ordersRequest } from '$lib/backend/fake/data/request';
import { Draft } from './draft.svelte';

const plan = vi.fn<Backend['plan']>();
const connect = vi.fn<Backend['connect']>();
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  plan.mockReset().mockImplementation(async (request) => ({ ...planFor(request), id: 'plan-1' }));
  connect.mockReset().mockResolvedValue('session-1');
  install({ plan, connect } as unknown as Backend);
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

function drafted(request = ordersRequest): Draft {
  const draft = new Draft(request);
  stop = $effect.root(() => {
    $effect(() => draft.follow());
  });
  flushSync();
  return draft;
}

async function rest(milliseconds = 0) {
  flushSync();
  await vi.advanceTimersByTimeAsync(milliseconds);
  flushSync();
}

test('the plan is read at once, and again a moment after the last keystroke', async () => {
  const draft = drafted();
  await rest();
  expect(draft.state).toBe('ready');

  for (const line of ['p', 'py', 'python3']) {
    draft.request.program = { start: 'command', line, directory: null };
    await rest(50);
  }
  expect(draft.state).toBe('reading');
  expect(plan).toHaveBeenCalledTimes(1);
  await rest(300);
  expect(plan).toHaveBeenCalledTimes(2);
  expect(plan.mock.lastCall?.[0].program).toMatchObject({ line: 'python3' });
  expect(draft.state).toBe('ready');
});

test('a form that is not complete reads nothing and says what is missing', async () => {
  const draft = drafted();
  await rest();
  draft.request.target = '';
  await rest(1000);
  expect(draft.state).toBe('incomplete');
  expect(draft.missing).toMatch(/target/);
  expect(plan).toHaveBeenCalledTimes(1);
});

test('a local port is mapped, given back, and refused where it is none', async () => {
  const draft = drafted({ ...ordersRequest, ports: [] });
  draft.mapPort(8080, 'http', '3000');
  expect(draft.request.ports).toEqual([{ remote: '8080', local: 3000 }]);
  draft.mapPort(8080, 'http', '99999');
  expect(draft.state).toBe('incomplete');
  draft.mapPort(8080, 'http', '8080');
  expect(draft.request.ports).toEqual([]);
  expect(draft.missing).toBeNull();
});

test('a mapping by name is the same port', () => {
  const draft = drafted({ ...ordersRequest, ports: [{ remote: 'http', local: 3000 }] });
  expect(draft.localPort(8080, 'http')).toBe(3000);
  draft.mapPort(8080, 'http', '4000');
  expect(draft.request.ports).toEqual([{ remote: '8080', local: 4000 }]);
});

test('what was typed stays when the other way of starting is tried', () => {
  const draft = drafted();
  draft.startBy('byUser');
  expect(draft.request.program).toEqual({ start: 'byUser' });
  draft.startBy('command');
  expect(draft.request.program).toEqual(ordersRequest.program);
});

test('a refused connection is shown, and nothing is connected that was not read', async () => {
  const draft = drafted();
  expect(await draft.connect()).toBeNull();
  await rest();
  connect.mockRejectedValueOnce({ code: 'conflict', message: 'No.', hint: null, detail: null });
  expect(await draft.connect()).toBeNull();
  expect(draft.refused?.code).toBe('conflict');

  draft.readAgain();
  await rest(300);
  expect(draft.refused).toBeNull();
  expect(await draft.connect()).toBe('session-1');
  expect(connect).toHaveBeenLastCalledWith('plan-1');
});

test('doing without taken names is asked of the plan, and taken back', async () => {
  const draft = drafted();
  await rest();
  for (const without of [true, false]) {
    draft.request.withoutTakenNames = without;
    await rest(300);
    expect(plan.mock.lastCall?.[0].withoutTakenNames).toBe(without);
    expect(draft.state).toBe('ready');
  }
});

test('a plan that cannot be read says why, and can be read again', async () => {
  plan.mockRejectedValueOnce({ code: 'not_found', message: 'No.', hint: null, detail: null });
  const draft = drafted();
  await rest();
  expect(draft.state).toBe('failed');
  draft.readAgain();
  await rest(300);
  expect(draft.state).toBe('ready');
});
