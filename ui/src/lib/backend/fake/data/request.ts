import { blankRequest } from '$lib/state/launch';
import type { LaunchRequest } from '../../types';

/** What a developer of the sample shop asks for. */
export const ordersRequest: LaunchRequest = {
  ...structuredClone(blankRequest),
  context: 'sandbox',
  namespace: 'shop',
  target: 'service/orders',
  ports: [{ remote: '8080', local: 3000 }],
  program: { start: 'command', line: 'python3 orders.py', directory: '/home/mara/src/orders' },
  mode: 'noAdministrator',
};
