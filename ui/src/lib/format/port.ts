import type { Protocol } from '$lib/backend/types';

/** A port as people write it: TCP goes without saying. */
export function portLabel(port: number, protocol: Protocol): string {
  return protocol === 'TCP' ? String(port) : `${port}/${protocol}`;
}
