import { SvelteMap } from 'svelte/reactivity';
import { asReport } from '$lib/components/report';

type State = { value: string } | { failed: string } | 'asking';

/** The secrets that the user asked to see, and only those. */
export class Revealed {
  #states = new SvelteMap<string, State>();

  constructor(private readonly ask: (name: string) => Promise<string>) {}

  /** undefined: it is masked. */
  of(name: string): State | undefined {
    return this.#states.get(name);
  }

  async show(name: string): Promise<void> {
    this.#states.set(name, 'asking');
    try {
      const value = await this.ask(name);
      // Meanwhile it may have been hidden again.
      if (this.#states.has(name)) this.#states.set(name, { value });
    } catch (thrown) {
      this.#states.set(name, { failed: asReport(thrown).message });
    }
  }

  hide(name: string): void {
    this.#states.delete(name);
  }
}
