import { expect, test } from 'vitest';
import { ordersSession } from '$lib/backend/fake/data/session';
import { World } from '$lib/backend/fake/world';
import type { InboundPort, ProgramState } from '$lib/backend/types';
import { localAddress, mappings } from './address';
import { programStatus } from './program';
import { filtered, lasted } from './traffic';
import { connections } from '$lib/backend/fake/data/traffic';

const world = new World('idle');
const now = world.start;
const report = { code: 'program', message: 'no', hint: null, detail: null };

const states: [ProgramState, string, string, string][] = [
  [{ state: 'byUser' }, 'neutral', 'You start the program', 'expected on 127.0.0.1:3000'],
  [{ state: 'waiting' }, 'neutral', 'Not started', ''],
  [{ state: 'running', pid: 7, since: now - 65_000 }, 'good', 'Running', 'process 7 · 1 min 5 s'],
  [{ state: 'ending', pid: 7 }, 'busy', 'Ending', 'process 7'],
  [
    { state: 'exited', how: 'SIGTERM', well: true, at: now - 4000 },
    'neutral',
    'Ended',
    'SIGTERM · 4 s ago',
  ],
  [
    { state: 'exited', how: 'exit status 1', well: false, at: now },
    'bad',
    'Ended badly',
    'exit status 1 · now',
  ],
  [{ state: 'failed', report }, 'bad', 'Not started', ''],
];

test.each(states)('the program that is %o', (program, tone, word, note) => {
  expect(programStatus(ordersSession(world, { program }), now)).toEqual({ tone, word, note });
});

test('before the session is connected a program waits for it', () => {
  const session = ordersSession(world, {
    phase: { phase: 'connecting', step: 'pods' },
    program: { state: 'waiting' },
  });
  expect(programStatus(session, now).note).toBe('starts when the session is connected');
});

test('where nothing comes in there is no address', () => {
  expect(localAddress(ordersSession(world, { inbound: [] }))).toBeNull();
  expect(localAddress(ordersSession(world))).toBe('127.0.0.1:3000');
});

test('mappings are told whole', () => {
  const inbound: InboundPort[] = [
    { remote: 53, protocol: 'UDP', local: 5353, name: 'dns', services: [] },
    { remote: 8080, protocol: 'TCP', local: 3000, name: 'http', services: ['orders:80'] },
    { remote: 9090, protocol: 'TCP', local: 9090, name: null, services: [] },
  ];
  const session = ordersSession(world, { inbound });
  expect(mappings(session)).toBe(
    'dns 53/UDP → 127.0.0.1:5353\nhttp 8080 → 127.0.0.1:3000 (orders:80)\n9090 → 127.0.0.1:9090',
  );
  expect(localAddress(session)).toBe('127.0.0.1:3000');
});

test('connections are filtered by their way and by failure', () => {
  const all = connections(world, 64);
  const into = filtered(all, 'in');
  const out = filtered(all, 'out');
  expect(into.length + out.length).toBe(all.length);
  expect(into.every(({ inbound }) => inbound)).toBe(true);
  expect(filtered(all, 'failed').map(({ id }) => id)).toEqual([48, 24]);
  expect(filtered(all, 'all')).toBe(all);
});

test('an open connection lasts until now, a closed one as long as it did', () => {
  const [connection] = connections(world, 1);
  if (!connection) throw new Error('there is one');
  expect(lasted({ ...connection, opened: 1000, closed: null }, 1500)).toBe(500);
  expect(lasted({ ...connection, opened: 1000, closed: 1200 }, 9000)).toBe(200);
  expect(lasted({ ...connection, opened: 1000, closed: null }, 900)).toBe(0);
});
