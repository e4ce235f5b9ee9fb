import { beforeEach, expect, test, vi } from 'vitest';
import type { Change } from '$lib/backend/types';
import { emptyApp } from '$lib/backend/fake/data/app';
import { cluster } from '$lib/backend/fake/data/shop';
import { AppState, type Asked } from './app.svelte';

let app: AppState;
let asked: Asked;

beforeEach(() => {
  app = new AppState();
  asked = { notice: vi.fn(), navigate: vi.fn(), quit: vi.fn() };
});

function take(...changes: Change[]) {
  app.take({ seq: 1, time: 1234, changes }, asked);
}

test('the first frame holds everything', () => {
  expect(app.loaded).toBe(false);
  take({ kind: 'everything', app: { ...emptyApp(), clusters: [cluster('sandbox')] } });
  expect(app.loaded).toBe(true);
  expect(app.heard).toBe(1234);
  expect(app.cluster('sandbox')?.version).toBe('v1.20.2');
  expect(app.revision('sandbox', 'pods')).toBe(1);
});

test('a cluster takes the place of its earlier state, and others stay', () => {
  take({ kind: 'cluster', cluster: cluster('a') }, { kind: 'cluster', cluster: cluster('b') });
  take({ kind: 'cluster', cluster: cluster('a', { version: 'v1.31.0' }) });
  expect(app.clusters.map(({ context, version }) => [context, version])).toEqual([
    ['a', 'v1.31.0'],
    ['b', 'v1.20.2'],
  ]);
  take({ kind: 'clusterClosed', context: 'a' });
  expect(app.clusters.map(({ context }) => context)).toEqual(['b']);
});

test('revisions and logs are kept by what they are of', () => {
  take(
    { kind: 'rows', context: 'a', table: 'pods', revision: 7 },
    { kind: 'log', log: 'session-1', next: 42 },
  );
  expect(app.revision('a', 'pods')).toBe(7);
  expect(app.revision('a', 'services')).toBe(0);
  expect(app.logNext('session-1')).toBe(42);
  expect(app.logNext('session-2')).toBe(0);
});

test('what is asked of the window is passed on', () => {
  const notice = { tone: 'bad', title: 'Session lost', message: 'It is.', session: '1' } as const;
  take(
    { kind: 'notice', notice },
    { kind: 'navigate', to: { place: 'settings' } },
    { kind: 'quitRequested', stops: ['orders (shop)'] },
  );
  expect(asked.notice).toHaveBeenCalledWith(notice);
  expect(asked.navigate).toHaveBeenCalledWith({ place: 'settings' });
  expect(asked.quit).toHaveBeenCalledWith(['orders (shop)']);
});
