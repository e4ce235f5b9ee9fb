import type { Connection } from '$lib/backend/types';

/** Which connections are shown. */
export type TrafficFilter = 'all' | 'in' | 'out' | 'failed';

export function filtered(connections: Connection[], filter: TrafficFilter): Connection[] {
  if (filter === 'in') return connections.filter(({ inbound }) => inbound);
  if (filter === 'out') return connections.filter(({ inbound }) => !inbound);
  if (filter === 'failed') return connections.filter(({ error }) => error !== null);
  return connections;
}

/** How long a connection lasts or has lasted, in milliseconds. */
export function lasted(connection: Connection, now: number): number {
  return Math.max(0, (connection.closed ?? now) - connection.opened);
}
