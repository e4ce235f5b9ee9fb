import type { Connection } from '../../types';
import type { World } from '../world';
import { POD_A, POD_B } from './session';

const REFUSED = 'connection refused on 127.0.0.1:3000';

/** Open connections and closed ones, the newest first: what orders does for each request, many times. */
export function connections(world: World, count: number): Connection[] {
  return Array.from({ length: count }, (_, index) => connection(world, count - index, index));
}

function connection(world: World, id: number, age: number): Connection {
  const kind = id % 3;
  const opened = world.ago(age * 2.3) - (id % 7) * 113;
  const lasted = kind === 1 ? 3800 + (id % 11) * 640 : 3 + (id % 17) * 2;
  const closed = age < 5 ? null : opened + lasted;
  if (kind === 0) {
    const failed = id % 24 === 0;
    return {
      id,
      inbound: true,
      from: id % 2 === 0 ? POD_A : POD_B,
      to: '127.0.0.1:3000',
      opened,
      closed: failed ? opened + 1 : closed,
      bytesIn: failed ? 0 : 212 + (id % 9) * 31,
      bytesOut: failed ? 0 : 640 + (id % 13) * 154,
      error: failed ? REFUSED : null,
    };
  }
  return {
    id,
    inbound: false,
    from: 'this machine',
    to: kind === 1 ? 'redis.shop:6379' : 'catalogue.shop:8080',
    opened,
    closed,
    bytesIn: kind === 1 ? 48 + (id % 5) * 1900 : 184,
    bytesOut: kind === 1 ? 97 : 143,
    error: null,
  };
}
