import type { Backend } from '$lib/backend';
import type { Frame } from '$lib/backend/types';
import type { AppState, Asked } from './app.svelte';

/**
 * Subscribes, and subscribes again when a frame is missing: the first frame of a subscription holds
 * everything, so nothing is lost but time.
 */
export async function feed(backend: Backend, app: AppState, asked: Asked): Promise<void> {
  let subscription = 0;

  async function begin(): Promise<void> {
    const mine = ++subscription;
    let expected = 1;
    await backend.subscribe((frame: Frame) => {
      if (mine !== subscription) return;
      if (frame.seq !== expected) return void begin();
      expected += 1;
      app.take(frame, asked);
    });
  }

  await begin();
}
