import type { Holder, TakenPort } from '../../types';

/** A program of the user's own on the container's port. */
export const nodeHolder: Holder = {
  pid: 41_213,
  started: 9_812_331,
  program: 'node',
  command: 'node /home/mara/src/orders-old/server.js --port 8080',
  user: 'mara',
  mine: true,
  unit: null,
  never: null,
};

/** A service of the system, as an administrator sees it. */
export const otherHolder: Holder = {
  pid: 812,
  started: 2_114,
  program: 'nginx',
  command: 'nginx: master process /usr/sbin/nginx -g daemon on; master_process on;',
  user: 'root',
  mine: false,
  unit: 'nginx.service',
  never: null,
};

/** Something that nobody should stop for a port. */
export const proxyHolder: Holder = {
  ...otherHolder,
  pid: 3_310,
  program: 'docker-proxy',
  command: '/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 6379',
  unit: null,
  never:
    'It is not stopped for a port: it holds the port for a container. Stop the container: `docker ps --filter publish=6379` shows it.',
};

export const takenPorts: TakenPort[] = [
  {
    address: '127.0.0.1',
    port: 8080,
    remote: 8080,
    wantedBy: ['your program'],
    holders: [nodeHolder],
  },
  {
    address: '127.77.31.5',
    port: 80,
    remote: null,
    wantedBy: ['catalogue.shop'],
    holders: [{ ...otherHolder, pid: null, started: null, program: '', command: '', unit: null }],
  },
  {
    address: '127.77.34.38',
    port: 6379,
    remote: null,
    wantedBy: ['redis.shop'],
    holders: [proxyHolder],
  },
];
