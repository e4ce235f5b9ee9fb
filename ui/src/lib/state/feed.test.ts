import { expect, test, vi } from 'vitest';
import type { Backend } from '$lib/backend';
import type { Frame } from '$lib/backend/types';
import { emptyApp } from '$lib/backend/fake/data/app';
import { AppState } from './app.svelte';
import { feed } from './feed';

const asked = { notice: vi.fn(), navigate: vi.fn(), quit: vi.fn() };

function everything(version: string): Frame {
  const change = { kind: 'everything', app: { ...emptyApp(), version } } as const;
  return { seq: 1, time: 0, changes: [change] };
}

function log(seq: number, next: number): Frame {
  return { seq, time: 0, changes: [{ kind: 'log', log: 'a', next }] };
}

test('a gap in the numbers begins anew, and what the old subscription still sends is ignored', async () => {
  const subscriptions: ((frame: Frame) => void)[] = [];
  const subscribe = vi.fn(async (send: (frame: Frame) => void) => {
    subscriptions.push(send);
  });
  const app = new AppState();
  await feed({ subscribe } as unknown as Backend, app, asked);

  subscriptions[0]?.(everything('one'));
  subscriptions[0]?.(log(2, 5));
  expect(app.logNext('a')).toBe(5);

  subscriptions[0]?.(log(4, 9));
  expect(subscribe).toHaveBeenCalledTimes(2);
  expect(app.logNext('a')).toBe(5);

  subscriptions[0]?.(log(5, 10));
  expect(subscribe).toHaveBeenCalledTimes(2);

  subscriptions[1]?.(everything('two'));
  expect(app.version).toBe('two');
});
