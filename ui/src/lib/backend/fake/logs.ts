import type { Backend } from '../backend';
import { hostileLog, shopLine, shopLog } from './data/logLines';
import { POD_A, POD_B } from './data/session';
import { LogRing } from './logRing';
import { refuse, type World } from './world';

type Part = Pick<Backend, 'logs' | 'openPodLog' | 'closePodLog' | 'exportLog'>;

/** Milliseconds between two bursts of lines. */
const BURST = 50;

export class FakeLogs implements Part {
  /** Whether reading fails, for a scenario and until a test says otherwise. */
  broken: boolean;

  readonly #rings = new Map<string, LogRing>();
  #pods = 0;

  constructor(readonly world: World) {
    world.logs = this;
    this.broken = world.scenario === 'log-broken';
  }

  logs: Backend['logs'] = async (query) => {
    if (this.broken)
      refuse(
        'internal',
        `The log ${query.log} cannot be read.`,
        'Try again. If it happens again, copy the report under Diagnostics.',
      );
    return this.ring(query.log).page(query);
  };

  openPodLog: Backend['openPodLog'] = async (query) => {
    if (this.world.scenario === 'pod-log-forbidden')
      refuse(
        'forbidden',
        `You may not get pods/log in the namespace ${query.namespace}.`,
        'Ask for the role that “towline rbac” prints.',
        `pods "${query.target}" is forbidden: User "mara" cannot get resource "pods/log"`,
      );
    this.#pods += 1;
    return `pod-log-${this.#pods}`;
  };

  closePodLog: Backend['closePodLog'] = async (log) => {
    this.#rings.delete(log);
  };

  exportLog: Backend['exportLog'] = async () => '/home/mara/orders.log';

  /** The lines of a log; made when they are first asked for. */
  ring(log: string): LogRing {
    const there = this.#rings.get(log);
    if (there) return there;
    const ring = new LogRing();
    this.#rings.set(log, ring);
    this.#fill(log, ring);
    return ring;
  }

  /** Writes lines as the program would, from a test too. */
  write(log: string, count: number): void {
    const ring = this.ring(log);
    const time = Date.now();
    ring.push(Array.from({ length: count }, (_, index) => shopLine(ring.next + index, time)));
    this.world.emit({ kind: 'log', log, next: ring.next });
  }

  #fill(log: string, ring: LogRing): void {
    const { scenario } = this.world;
    if (scenario === 'log-empty') return;
    if (scenario === 'log-hostile') return ring.push(hostileLog(this.world.ago(60)));
    const lines = shopLog(this.world.ago(860), scenario === 'log-full' ? 60_000 : 420);
    if (log.startsWith('pod-')) {
      ring.push(
        lines.map((line, index) => ({ ...line, source: 'pod', origin: index % 2 ? POD_A : POD_B })),
      );
    } else {
      ring.push(lines);
    }
    if (scenario === 'log-flood') this.#flow(log, 1000);
  }

  #flow(log: string, lines: number): void {
    this.world.later(BURST, () => {
      this.write(log, lines);
      this.#flow(log, lines);
    });
  }
}
