import type { Backend } from '../backend';
import type { LaunchRequest, Plan, ProgramState, Session } from '../types';
import { guardedProcesses, nodeProcesses } from './data/debuggees';
import { environment, SECRETS } from './data/environment';
import {
  beginning,
  busyFigures,
  ended,
  listeners,
  namedListeners,
  noFigures,
  ordersSession,
  steps,
  tunnels,
} from './data/session';
import { sessionEvents } from './data/sessionEvents';
import { connections } from './data/traffic';
import { sessionVolumes } from './data/volumes';
import { refuse, type World } from './world';

type Part = Pick<
  Backend,
  | 'stopSession'
  | 'reconnectSession'
  | 'dismissSession'
  | 'startProgram'
  | 'stopProgram'
  | 'restartProgram'
  | 'debuggees'
  | 'environment'
  | 'reveal'
  | 'copyEnvironment'
  | 'connections'
  | 'testListener'
  | 'events'
>;

/** Milliseconds that a step takes here. */
const STEP = 120;

export class FakeSessions implements Part {
  #pid = 42_000;

  constructor(readonly world: World) {
    world.sessions = this;
  }

  /** Begins a session that does what the plan says; gives its id. */
  begin(request: LaunchRequest, plan: Plan): string {
    const id = (0x5a0000 + this.world.app.sessions.length * 4097).toString(16);
    const session: Session = {
      ...ordersSession(this.world, beginning(this.world, Date.now(), 0)),
      id,
      request: structuredClone(request),
      title: request.target.split('/').at(-1) ?? request.target,
      workload: plan.workload,
      container: plan.container,
      inbound: plan.inbound,
      mode: plan.mode,
      volumes: sessionVolumes(this.world, plan.volumes),
      restorer: plan.restorer,
      commandLine: plan.commandLine,
      program: request.program.start === 'byUser' ? { state: 'byUser' } : { state: 'waiting' },
    };
    this.world.app.sessions.push(session);
    this.world.emit({ kind: 'session', session });
    this.#advance(id, 1);
    return id;
  }

  stopSession = async (id: string) => {
    const session = this.#of(id);
    const program: ProgramState =
      session.program.state === 'running'
        ? { state: 'exited', how: 'SIGTERM', well: true, at: Date.now() }
        : session.program;
    this.change(id, { phase: { phase: 'stopping', step: 'restore' }, since: Date.now(), program });
    if (this.world.scenario === 'session-stopping') return;
    this.world.later(STEP * 3, () =>
      this.change(id, {
        phase: ended('stopped', 'good', `${session.workload} is what it was.`),
        since: Date.now(),
        tunnels: [],
        figures: {
          ...session.figures,
          inboundOpen: 0,
          outboundOpen: 0,
          perSecond: noFigures().perSecond,
        },
      }),
    );
  };

  reconnectSession = async (id: string) => {
    this.change(id, beginning(this.world, Date.now(), 0));
    this.#advance(id, 1);
  };

  dismissSession = async (id: string) => {
    const { app } = this.world;
    app.sessions = app.sessions.filter((session) => session.id !== id);
    this.world.emit({ kind: 'sessionGone', id });
  };

  startProgram = async (id: string) => {
    this.#pid += 7;
    this.change(id, { program: { state: 'running', pid: this.#pid, since: Date.now() } });
  };

  stopProgram = async (id: string) => {
    const { program } = this.#of(id);
    if (program.state !== 'running') refuse('program', 'The program does not run.');
    else this.change(id, { program: { state: 'ending', pid: program.pid } });
    this.world.later(STEP, () =>
      this.change(id, { program: { state: 'exited', how: 'SIGTERM', well: true, at: Date.now() } }),
    );
  };

  restartProgram = async (id: string) => {
    await this.stopProgram(id);
    this.world.later(STEP * 2, () => void this.startProgram(id));
  };

  debuggees: Backend['debuggees'] = async (id) => {
    const { program, title } = this.#of(id);
    if (this.world.scenario === 'debug-fails')
      refuse(
        'internal',
        `The processes of ${title} cannot be told: /proc cannot be read: Permission denied.`,
        'Look yourself: ps -ef',
      );
    if (program.state !== 'running') return { processes: [], hindrance: null };
    const processes = this.world.scenario === 'debug-guarded' ? guardedProcesses : nodeProcesses;
    return processes(program.pid);
  };

  environment: Backend['environment'] = async (id) => {
    if (this.world.scenario === 'environment-fails')
      refuse(
        'unreachable',
        'The environment of orders cannot be read: the agent does not answer.',
        'Try again.',
      );
    return this.#of(id).phase.phase === 'connecting' ? [] : environment();
  };

  reveal: Backend['reveal'] = async (_id, name) =>
    SECRETS[name] ?? refuse('no_such_variable', `There is no secret variable ${name}.`);

  copyEnvironment: Backend['copyEnvironment'] = async (_id, format) => {
    this.world.copied = `environment as ${format}`;
  };

  connections: Backend['connections'] = async () => {
    if (this.world.scenario === 'session-quiet') return [];
    return connections(this.world, this.world.scenario === 'session-traffic' ? 503 : 64);
  };

  testListener: Backend['testListener'] = async (_id, namespace, service, port) =>
    service === 'greeter'
      ? {
          reached: false,
          tookMs: 3004,
          message: `greeter.shop:${port} did not take a connection: timed out after 3 s.`,
        }
      : { reached: true, tookMs: 2, message: `${service}.${namespace}:${port} takes connections.` };

  events: Backend['events'] = async (id, from, limit) =>
    sessionEvents(this.#of(id)).slice(from - 1, from - 1 + limit);

  /** Another state of a session, from a test too. */
  change(id: string, changes: Partial<Session>): void {
    const index = this.world.app.sessions.findIndex((session) => session.id === id);
    const before = this.world.app.sessions[index];
    if (!before) return;
    const session = { ...before, ...changes };
    this.world.app.sessions[index] = session;
    this.world.emit({ kind: 'session', session });
  }

  #advance(id: string, done: number): void {
    this.world.later(STEP, () => {
      const { started, request } = this.#of(id);
      if (done < 6) {
        this.change(id, { ...beginning(this.world, started, done), program: this.#of(id).program });
        return this.#advance(id, done + 1);
      }
      this.change(id, {
        phase: { phase: 'connected' },
        since: Date.now(),
        steps: steps(started),
        tunnels: tunnels(),
        listeners:
          this.#of(id).mode === 'hostsFile' ? namedListeners(this.world) : listeners(this.world),
        figures: busyFigures(),
        envFile: `/run/user/1000/towline/${id}.env`,
        events: 14,
      });
      if (request.program.start === 'command') void this.startProgram(id);
    });
  }

  #of(id: string): Session {
    return (
      this.world.app.sessions.find((session) => session.id === id) ??
      refuse('no_such_session', `There is no session ${id}.`, 'It may have been dismissed.')
    );
  }
}
