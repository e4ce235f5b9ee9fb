/** Time as the pacing needs it; a test gives its own. */
export interface Ticks {
  /** Milliseconds, from any beginning. */
  now(): number;
  after(milliseconds: number, run: () => void): void;
}

/**
 * Does one thing at a time, and of what is wanted meanwhile only the latest. Between two there is a pause:
 * at least what `pace` says, and three times as long as the last one took, so that a slow answer slows the
 * asking and never piles up.
 */
export class Paced<T> {
  #wanted: { what: T } | null = null;
  #earliest = -Infinity;
  #busy = false;
  #waiting = false;
  #closed = false;

  constructor(
    private readonly ticks: Ticks,
    private readonly pace: () => number,
    private readonly work: (wanted: T) => Promise<void>,
  ) {}

  /** Whether something waits for its turn. */
  get pending(): boolean {
    return this.#wanted !== null;
  }

  /** `now` skips the pause: the user waits for it. */
  want(what: T, when: 'paced' | 'now' = 'paced'): void {
    this.#wanted = { what };
    if (when === 'now') this.#earliest = -Infinity;
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#wanted = null;
  }

  #next(): void {
    if (this.#busy || this.#closed || !this.#wanted) return;
    const wait = this.#earliest - this.ticks.now();
    if (wait <= 0) return void this.#run(this.#wanted.what);
    if (this.#waiting) return;
    this.#waiting = true;
    this.ticks.after(wait, () => {
      this.#waiting = false;
      this.#next();
    });
  }

  async #run(what: T): Promise<void> {
    this.#wanted = null;
    this.#busy = true;
    const began = this.ticks.now();
    await this.work(what);
    const took = this.ticks.now() - began;
    this.#earliest = began + Math.max(this.pace(), took * 3);
    this.#busy = false;
    this.#next();
  }
}
