import type { Tone } from '$lib/backend/types';

/**
 * What a state is like. Each has a shape of its own: `good` a disc, `busy` a turning arc,
 * `warning` a triangle, `bad` a square, `neutral` a ring.
 */
export type StatusTone = Tone | 'busy';
