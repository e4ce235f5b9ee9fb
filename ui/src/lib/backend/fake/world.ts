import type { App, Change, Frame } from '../types';
import type { FakeClusters } from './clusters';
import type { FakeLaunch } from './launch';
import type { FakeLogs } from './logs';
import type { FakeProjects } from './projects';
import type { FakeSessions } from './sessions';
import { emptyApp } from './data/app';

/**
 * What all parts of the fake share: the state, and the frames that tell of it. A part changes `app`
 * and emits the change; nothing is sent before the window has subscribed.
 */
export class World {
  readonly scenario: string;
  readonly app: App;
  /** When the fake began; times in the data are reckoned from it. */
  readonly start = Date.now();

  /** For scenarios that open clusters. */
  clusters!: FakeClusters;
  /** For scenarios that change plans. */
  launch!: FakeLaunch;
  /** For tests that change a session. */
  sessions!: FakeSessions;
  /** For tests that write lines. */
  logs!: FakeLogs;
  /** For scenarios with project files. */
  projects!: FakeProjects;
  /** What the system’s dialog gives when it is asked for a file. */
  chosen: string | null = '/home/mara/.kube/staging.yaml';
  /** What was last put on the clipboard, for tests. */
  copied = '';
  /** Whether the window asked to quit, for tests. */
  hasQuit = false;

  #send: ((frame: Frame) => void) | null = null;
  #seq = 0;
  #pending: Change[] = [];

  constructor(scenario: string) {
    this.scenario = scenario;
    this.app = emptyApp();
  }

  /** Milliseconds of the epoch, `seconds` before the fake began. */
  ago(seconds: number): number {
    return this.start - seconds * 1000;
  }

  subscribe(send: (frame: Frame) => void): void {
    this.#send = send;
    this.#seq = 0;
    this.emit({ kind: 'everything', app: structuredClone(this.app) });
  }

  /** Changes of one turn of the event loop go in one frame, as in the application. */
  emit(...changes: Change[]): void {
    if (this.#pending.length === 0) queueMicrotask(() => this.#flush());
    this.#pending.push(...structuredClone(changes));
  }

  #flush(): void {
    const changes = this.#pending;
    this.#pending = [];
    this.#seq += 1;
    this.#send?.({ seq: this.#seq, time: Date.now(), changes });
  }

  /** Runs later, as an answer from outside would. */
  later(milliseconds: number, run: () => void): void {
    setTimeout(run, milliseconds);
  }
}

/** A rejection as the application makes it. */
export function refuse(
  code: string,
  message: string,
  hint: string | null = null,
  detail: string | null = null,
): never {
  throw { code, message, hint, detail };
}
