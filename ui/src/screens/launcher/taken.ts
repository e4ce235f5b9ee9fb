import type { Holder, TakenPort } from '$lib/backend/types';

/** What a port is needed for, in a few words. */
export function purpose({ remote, wantedBy }: TakenPort): string {
  if (remote !== null) return `connections to the container’s port ${remote}`;
  return wantedBy.join(', ');
}

/** The services that can be left out for it; none where it is for the local program. */
export function services({ remote, wantedBy }: TakenPort): string[] {
  return remote === null ? wantedBy.filter((name) => name.includes('.')) : [];
}

/** One holder from another: numbers come again, so with its beginning. */
export function keyOf({ pid, started, user }: Holder, index: number): string {
  return pid === null ? `${user} ${index}` : `${pid} ${started}`;
}
