import type { LaunchRequest, Preferences, Profile, Row } from '$lib/backend/types';

/** A form in which nothing is said. */
export const blankRequest: Readonly<LaunchRequest> = {
  context: '',
  namespace: '',
  target: '',
  container: null,
  ports: [],
  namespaces: [],
  program: { start: 'byUser' },
  mode: 'hostsFile',
  agentImage: null,
  pullSecret: null,
  leaseSeconds: null,
  takeOver: false,
  reconnect: false,
  exclude: [],
  externalHosts: [],
  project: null,
  files: 'small',
  withoutTakenNames: false,
};

/** The form for a row, as the last launch of the same target left it. */
export function requestFor(
  context: string,
  row: Pick<Row, 'namespace' | 'target'>,
  profiles: Profile[],
  preferences: Preferences | null,
): LaunchRequest {
  const target = row.target ?? '';
  const known = profiles.find(
    ({ request }) =>
      request.context === context &&
      request.namespace === row.namespace &&
      request.target === target,
  );
  // Taking over is decided anew each time.
  if (known) return { ...structuredClone(known.request), takeOver: false };
  const mode = preferences?.mode ?? 'hostsFile';
  return { ...structuredClone(blankRequest), context, namespace: row.namespace, target, mode };
}

/** `orders` of `service/orders`. */
export function bareName(target: string): string {
  return target.slice(target.indexOf('/') + 1);
}

export function profileName(request: LaunchRequest): string {
  return `${bareName(request.target)} (${request.namespace})`;
}

/** A whole number from 1 to 65535, or null. */
export function parsePort(text: string | number): number | null {
  const port = Number(text);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}

/** What is missing before a plan can be read; null: nothing. */
export function incomplete(request: LaunchRequest): string | null {
  if (request.target.trim() === '') return 'Name a target, such as service/orders.';
  if (request.namespace.trim() === '') return 'Name the namespace of the target.';
  if (request.program.start === 'command' && request.program.line.trim() === '') {
    return 'Write the command, or choose “I start it myself”.';
  }
  if (request.leaseSeconds !== null) {
    const seconds = request.leaseSeconds;
    if (!Number.isInteger(seconds) || seconds < 5 || seconds > 3600) {
      return 'The lease lasts from 5 to 3,600 seconds.';
    }
  }
  return null;
}

/** The words that name namespaces, parted by spaces or commas. */
export function words(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((word) => word !== ''))];
}
