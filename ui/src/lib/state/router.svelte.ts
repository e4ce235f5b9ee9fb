import type { LaunchRequest, PodLogQuery } from '$lib/backend/types';

/** Where the window is. */
export type Screen =
  | { screen: 'clusters'; context?: string }
  | { screen: 'launcher'; request: LaunchRequest }
  | { screen: 'session'; id: string; tab?: string }
  | { screen: 'podLog'; query: PodLogQuery; title: string }
  | { screen: 'diagnostics' }
  | { screen: 'settings' };

const REMEMBERED = 50;

class Router {
  at = $state.raw<Screen>({ screen: 'clusters' });
  #past: Screen[] = [];

  go(to: Screen): void {
    this.#past = [...this.#past.slice(-REMEMBERED), this.at];
    this.at = to;
  }

  /** To the place before this one; to the clusters where there was none. */
  back(): void {
    this.at = this.#past.pop() ?? { screen: 'clusters' };
  }

  /** Without a way back: the present place is no more. */
  replace(to: Screen): void {
    this.at = to;
  }
}

export const router = new Router();
