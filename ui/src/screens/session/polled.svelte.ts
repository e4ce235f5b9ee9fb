import { untrack } from 'svelte';
import type { Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';

/**
 * What is asked for again whenever `when` changes, in a component's initialisation. One question at a time; what
 * was known stays on screen while the next answer is on its way.
 */
export class Polled<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Report | null>(null);

  readonly #ask: () => Promise<T>;
  #asking = false;
  #again = false;
  #closed = false;

  constructor(when: () => unknown, ask: () => Promise<T>) {
    this.#ask = ask;
    $effect(() => {
      when();
      untrack(() => void this.refresh());
    });
    $effect(() => () => {
      this.#closed = true;
    });
  }

  async refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#again = false;
        this.value = await this.#ask();
        this.problem = null;
      } while (this.#again && !this.#closed);
    } catch (thrown) {
      this.problem = asReport(thrown);
    } finally {
      this.#asking = false;
    }
  }
}
