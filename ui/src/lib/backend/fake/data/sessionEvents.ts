import type { Session, SessionEvent, Tone } from '../../types';
import { POD_A, POD_B } from './session';

type Told = [number, Tone, string, string];

const CONNECTED: Told[] = [
  [0, 'neutral', 'Lease taken', 'towline-orders in shop: whoever has it has the workload'],
  [18, 'neutral', 'Restorer started', 'job towline-orders-4c19e7'],
  [860, 'neutral', 'Agent put in place', 'deployment/orders, container orders'],
  [891, 'neutral', 'Waiting for the pods', '2 pods'],
  [1840, 'good', 'Tunnel up', POD_A],
  [2201, 'good', 'Tunnel up', POD_B],
  [2245, 'neutral', 'Service added', 'catalogue.shop:8080 is 127.0.0.1:40001'],
  [2245, 'neutral', 'Service added', 'gateway.shop:80 is 127.0.0.1:40002'],
  [2246, 'neutral', 'Service added', 'greeter.shop:2525 is 127.0.0.1:40003'],
  [2246, 'neutral', 'Service added', 'orders.shop:80 is 127.0.0.1:40004'],
  [2246, 'neutral', 'Service added', 'kubernetes.default:443 is 127.0.0.1:40005'],
  [2247, 'neutral', 'Service added', 'redis.shop:6379 is 127.0.0.1:40006'],
  [2251, 'good', 'Connected', '2 pods, environment in /run/user/1000/towline/4c19e7.env'],
  [2300, 'neutral', 'Program started', 'python3 orders.py, process 41872'],
];

/** By phase: what happened last. */
const LATER: Partial<Record<Session['phase']['phase'], Told>> = {
  reconnecting: [850_000, 'warning', 'Tunnel lost', 'no answer for 15 s; connecting again'],
  lapsed: [850_000, 'warning', 'Lapsed', 'the cluster restored deployment/orders by itself'],
  stopping: [861_000, 'neutral', 'Putting the workload back', 'deployment/orders'],
  ended: [861_900, 'good', 'Ended', 'deployment/orders is what it was'],
};

/** As many events as the session says that there were; the last ones fit its phase. */
export function sessionEvents(session: Session): SessionEvent[] {
  const later = LATER[session.phase.phase];
  const told = [...CONNECTED.slice(0, session.events - (later ? 1 : 0)), ...(later ? [later] : [])];
  return told.map(([after, tone, title, detail], index) => ({
    seq: index + 1,
    time: session.started + after,
    tone,
    title,
    detail,
  }));
}
