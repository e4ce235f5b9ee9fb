import type { Session } from '$lib/backend/types';
import { portLabel } from '$lib/format/port';

/** Where the session's program is expected, as `127.0.0.1:3000`; null where nothing comes in. */
export function localAddress(session: Session): string | null {
  const first = session.inbound.find(({ protocol }) => protocol === 'TCP');
  return first ? `127.0.0.1:${first.local}` : null;
}

/** All mappings in a sentence, as `http 8080 → 3000 (orders:80)`. */
export function mappings(session: Session): string {
  return session.inbound
    .map(({ remote, protocol, local, name, services }) => {
      const number = portLabel(remote, protocol);
      const port = name ? `${name} ${number}` : number;
      const from = services.length > 0 ? ` (${services.join(', ')})` : '';
      return `${port} → 127.0.0.1:${local}${from}`;
    })
    .join('\n');
}
