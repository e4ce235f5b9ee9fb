import type { Backend } from './backend';

export type { Backend } from './backend';

/** The backend that was installed at the start; a live binding, so never copy it at module level. */
export let backend: Backend = undefined as unknown as Backend;

/** Called once, by main.ts before anything is mounted (and by tests). */
export function install(chosen: Backend): void {
  backend = chosen;
}
