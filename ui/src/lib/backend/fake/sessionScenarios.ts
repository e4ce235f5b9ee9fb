import type { Session } from '../types';
import { ordersRequest } from './data/request';
import {
  beginning,
  ended,
  namedListeners,
  noFigures,
  ordersSession,
  brokenOff,
  steps,
  tunnels,
} from './data/session';
import { diagnosisScenarios } from './diagnosisScenarios';
import { sampleShop } from './sample';
import type { World } from './world';

type Scenario = (world: World) => void;

/** One session of orders, in a state. */
function one(changes: (world: World) => Partial<Session> = () => ({})): Scenario {
  return (world) => {
    sampleShop(world);
    world.app.sessions = [ordersSession(world, changes(world))];
  };
}

const refused = 'connection refused';

const cannotPull = {
  code: 'image_pull',
  message:
    'deployment/orders was not touched: the restorer cannot start, because the agent’s image cannot be pulled.',
  hint: 'Push the image with “towline agent push”, or set another one for this context in the settings.',
  detail:
    'pod towline-orders-4c19e7-tq2xv: ErrImagePull\nrpc error: code = NotFound desc = failed to pull and unpack image\n"registry.example/tools/towline-agent:0.1.0": not found',
};

const LONG = 'a-workload-with-a-name-of-63-characters-as-long-as-it-may-ever-';

/** Scenarios of sessions, logs and diagnosis. */
export const sessionScenarios: Record<string, Scenario> = {
  session: one(),
  'session-traffic': one(),
  'debug-guarded': one(),
  'debug-fails': one(),
  'session-hosts': one((world) => ({
    mode: 'hostsFile',
    request: { ...ordersRequest, mode: 'hostsFile' },
    listeners: namedListeners(world),
  })),
  'volumes-slow': one(),
  'volumes-fail': one(),
  'volumes-conflict': one(),
  'session-quiet': one(() => ({
    figures: noFigures(),
    silentPorts: [{ remote: 8080, protocol: 'TCP', local: 3000, reason: refused }],
    program: { state: 'byUser' },
    request: { ...ordersRequest, program: { start: 'byUser' } },
  })),
  'session-connecting': one((world) => beginning(world, world.ago(1.4), 3)),
  'session-reconnecting': one((world) => ({
    phase: { phase: 'reconnecting', reason: 'no answer from the agents for 15 s' },
    since: world.ago(12),
    tunnels: tunnels(false),
    events: 15,
  })),
  'session-lapsed': one((world) => ({
    phase: { phase: 'lapsed' },
    since: world.ago(95),
    tunnels: [],
    figures: noFigures(),
    events: 15,
    attention:
      'The cluster has restored deployment/orders, because this machine was away for longer than the lease.',
  })),
  'session-stopping': one((world) => ({
    phase: { phase: 'stopping', step: 'restore' },
    since: world.ago(1),
    steps: [
      ...steps(world.ago(862)),
      { step: 'restore', began: world.ago(1), took: null, failed: false },
    ],
    program: { state: 'exited', how: 'SIGTERM', well: true, at: world.ago(1) },
    figures: noFigures(),
    events: 15,
  })),
  'session-ended': one((world) => ({
    phase: ended('stopped', 'good', 'deployment/orders is what it was.'),
    since: world.ago(4),
    tunnels: [],
    figures: noFigures(),
    program: { state: 'exited', how: 'SIGTERM', well: true, at: world.ago(6) },
    events: 15,
  })),
  'session-overwritten': one((world) => ({
    phase: ended(
      'overwritten',
      'warning',
      'Somebody deployed deployment/orders (kubectl-client-side-apply): theirs stays, the session has ended.',
    ),
    since: world.ago(40),
    tunnels: [],
    figures: noFigures(),
    program: { state: 'running', pid: 41_872, since: world.ago(800) },
    events: 15,
  })),
  'session-failed': one((world) => ({
    ...beginning(world, world.ago(20), 1),
    steps: brokenOff(world.ago(20)),
    phase: ended(
      'failed',
      'bad',
      'The session could not begin. deployment/orders was not changed.',
      cannotPull,
    ),
    since: world.ago(4),
    events: 3,
  })),
  'session-program-exited': one((world) => ({
    program: { state: 'exited', how: 'exit status 1', well: false, at: world.ago(31) },
    silentPorts: [{ remote: 8080, protocol: 'TCP', local: 3000, reason: refused }],
    attention:
      'python3 orders.py has ended with exit status 1; callers in the cluster are refused.',
  })),
  'session-program-failed': one(() => ({
    program: {
      state: 'failed',
      report: {
        code: 'program',
        message: 'python3 cannot be started: there is no such program on the PATH.',
        hint: 'Give its whole path in the launcher, or install it.',
        detail: 'PATH=/home/mara/.local/bin:/usr/local/bin:/usr/bin:/bin',
      },
    },
    silentPorts: [{ remote: 8080, protocol: 'TCP', local: 3000, reason: refused }],
  })),
  'session-udp': one((world) => ({
    inbound: [
      { remote: 53, protocol: 'TCP', local: 5353, name: 'dns-tcp', services: ['resolver:53'] },
      { remote: 53, protocol: 'UDP', local: 5353, name: 'dns', services: ['resolver:53'] },
    ],
    silentPorts: [{ remote: 53, protocol: 'UDP', local: 5353, reason: refused }],
    listeners: namedListeners(world).map((listener) =>
      listener.service === 'redis'
        ? {
            ...listener,
            service: 'statsd',
            port: 8125,
            protocol: 'UDP' as const,
            portName: 'metrics',
            names: ['statsd', 'statsd.shop'],
            local: '127.77.24.32:8125',
          }
        : listener,
    ),
  })),
  'session-hostile': one(() => ({
    title: LONG,
    workload: `deployment/${LONG}`,
    restorer: false,
    inbound: [
      {
        remote: 8080,
        protocol: 'TCP',
        local: 3000,
        name: 'http',
        services: [`${LONG}:80`],
      },
      { remote: 9090, protocol: 'TCP', local: 9090, name: 'metrics', services: [] },
    ],
    attention: 'הפורט המקומי אינו עונה: connection refused',
  })),
  'environment-fails': one(),
  'log-empty': one(),
  'log-hostile': one(),
  'log-full': one(),
  'log-flood': one(),
  'log-broken': one(),
  'pod-log-forbidden': sampleShop,
  ...diagnosisScenarios,
};
