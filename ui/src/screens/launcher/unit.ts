/** What a unit of systemd is, by its name: `nginx.service` is a service, `cups.socket` a socket. */
export function unitKind(unit: string): 'service' | 'socket' {
  return unit.endsWith('.socket') ? 'socket' : 'service';
}
