import type { Figures, Listener, Session, SessionPhase, StepTime, Tunnel } from '../../types';
import type { World } from '../world';
import { ordersRequest } from './request';
import { sessionVolumes } from './volumes';

export const SESSION = '4c19e7';
export const POD_A = 'orders-6f7c9d5b48-2xkqp';
export const POD_B = 'orders-6f7c9d5b48-w9rjt';

const LASTED: [string, number][] = [
  ['lease', 18],
  ['restorer', 842],
  ['patch', 31],
  ['pods', 1310],
  ['environment', 44],
  ['listeners', 6],
];

/** The steps of connecting, up to `until` of them done and the next one under way. */
export function steps(began: number, done = LASTED.length): StepTime[] {
  let at = began;
  return LASTED.slice(0, done + 1).map(([step, took], index) => {
    const time = { step, began: at, took: index < done ? took : null, failed: false };
    at += took;
    return time;
  });
}

/** As `steps`, of a session whose restorer could not be started. */
export function brokenOff(began: number): StepTime[] {
  return steps(began, 1).map((time) =>
    time.took === null ? { ...time, took: 5000, failed: true } : time,
  );
}

function listener(
  world: World,
  service: string,
  port: number,
  portName: string,
  local: number,
  used: [number, number] | null,
): Listener {
  return {
    namespace: 'shop',
    service,
    port,
    protocol: 'TCP',
    portName,
    local: `127.0.0.1:${local}`,
    target: `10.96.1.${(port % 200) + 10}:${port}`,
    names: [],
    lastUsed: used ? world.ago(used[0]) : null,
    connections: used ? used[1] : 0,
  };
}

export function listeners(world: World): Listener[] {
  return [
    { ...listener(world, 'kubernetes', 443, 'https', 40005, null), namespace: 'default' },
    listener(world, 'catalogue', 8080, 'http', 40001, [2, 118]),
    listener(world, 'gateway', 80, 'http', 40002, null),
    listener(world, 'greeter', 2525, 'greeting', 40003, null),
    listener(world, 'orders', 80, 'http', 40004, [190, 3]),
    listener(world, 'redis', 6379, 'redis', 40006, [1, 246]),
  ];
}

/** The same listeners in the mode with the hosts file. */
export function namedListeners(world: World): Listener[] {
  return listeners(world).map((listener, index) => {
    const { service, namespace, port } = listener;
    const long = [`${service}.${namespace}`, `${service}.${namespace}.svc`];
    const names = [...long, `${service}.${namespace}.svc.cluster.local`];
    if (namespace === 'shop') names.unshift(service);
    return { ...listener, names, local: `127.77.${20 + index}.${7 * index + 4}:${port}` };
  });
}

const WAVE = [
  0, 0, 180, 2400, 900, 420, 0, 3100, 4800, 2600, 700, 90, 0, 0, 1300, 5200, 3900, 800, 260, 0,
];

export function busyFigures(): Figures {
  return {
    inboundOpen: 2,
    outboundOpen: 3,
    connections: 371,
    bytesIn: 1_482_337,
    bytesOut: 3_904_112,
    perSecond: Array.from(
      { length: 60 },
      (_, second) => (WAVE[second % WAVE.length] ?? 0) * (1 + (second % 7) / 5),
    ),
  };
}

export function noFigures(): Figures {
  const perSecond = Array.from({ length: 60 }, () => 0);
  return { inboundOpen: 0, outboundOpen: 0, connections: 0, bytesIn: 0, bytesOut: 0, perSecond };
}

export function tunnels(up = true): Tunnel[] {
  return [
    { pod: POD_A, up, roundTripUs: up ? 640 : null },
    { pod: POD_B, up, roundTripUs: up ? 810 : null },
  ];
}

/** orders of the sample shop, connected since a quarter of an hour; `changes` make other states of it. */
export function ordersSession(world: World, changes: Partial<Session> = {}): Session {
  const began = world.ago(862);
  return {
    id: SESSION,
    request: structuredClone(ordersRequest),
    title: 'orders',
    workload: 'deployment/orders',
    container: 'orders',
    started: began,
    phase: { phase: 'connected' },
    since: began + 2251,
    steps: steps(began),
    tunnels: tunnels(),
    inbound: [
      { remote: 8080, protocol: 'TCP', local: 3000, name: 'http', services: ['orders:80'] },
    ],
    silentPorts: [],
    listeners: listeners(world),
    mode: 'noAdministrator',
    volumes: sessionVolumes(world),
    figures: busyFigures(),
    program: { state: 'running', pid: 41_872, since: began + 2300 },
    envFile: '/run/user/1000/towline/4c19e7.env',
    events: 14,
    attention: null,
    restorer: true,
    commandLine:
      'towline connect service/orders --context sandbox -n shop --port 8080:3000 -- python3 orders.py',
    ...changes,
  };
}

/** A session that has not come to its environment yet. */
export function beginning(world: World, began: number, done: number): Partial<Session> {
  const step = LASTED[Math.min(done, LASTED.length - 1)]?.[0] ?? 'lease';
  void world;
  return {
    started: began,
    since: began,
    phase: { phase: 'connecting', step },
    steps: steps(began, done),
    tunnels: [],
    listeners: [],
    figures: noFigures(),
    program: { state: 'waiting' },
    envFile: null,
    attention: null,
    events: done + 1,
  };
}

export function ended(
  how: Extract<SessionPhase, { phase: 'ended' }>['how'],
  tone: Extract<SessionPhase, { phase: 'ended' }>['tone'],
  message: string,
  report: Extract<SessionPhase, { phase: 'ended' }>['report'] = null,
): SessionPhase {
  return { phase: 'ended', how, tone, message, report };
}
