import { backend } from '$lib/backend';
import type { Leftover } from '$lib/backend/types';
import { toasts } from './toasts.svelte';

/** Restores what a leftover changed, and says how it came out. */
export async function repair(leftover: Leftover): Promise<void> {
  try {
    const { tone, message } = await backend.repair(leftover.id);
    toasts.show({ tone, word: tone === 'good' ? 'Repaired' : 'Look at this', text: message });
  } catch (thrown) {
    toasts.failed(thrown, () => void repair(leftover));
  }
}
