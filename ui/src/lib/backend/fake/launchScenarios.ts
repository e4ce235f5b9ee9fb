import type { Check } from '../types';
import { takenPorts } from './data/holders';
import { ordersRequest } from './data/request';
import { sampleShop } from './sample';
import { refuse, type World } from './world';

const projectFile = '/home/mara/src/orders/towline.yaml';

const portTaken: Check = {
  title: 'Local ports',
  tone: 'bad',
  message: 'Port 8080 is held by node (process 41213) of mara.',
  fix: 'Stop that program, or choose another local port above.',
  code: 'local_port_taken',
  takenNames: null,
};

const noRestorer: Check = {
  title: 'Restorer',
  tone: 'warning',
  message: 'You may not create jobs.batch in shop: nobody restores if this machine goes away.',
  fix: 'Ask for the role that “towline rbac” prints, or keep this machine awake.',
  code: null,
  takenNames: null,
};

function profiles(world: World): void {
  sampleShop(world);
  world.app.profiles = [
    { id: 'profile-a', name: 'orders (shop)', request: ordersRequest, used: world.ago(7200) },
    {
      id: 'profile-b',
      name: 'catalogue with debugger',
      request: { ...ordersRequest, target: 'service/catalogue', program: { start: 'byUser' } },
      used: world.ago(3 * 86_400),
    },
  ];
}

function blocked(world: World): void {
  sampleShop(world);
  world.launch.amend = (plan, request) => {
    const local = request.ports.find((port) => port.remote === '8080')?.local ?? 8080;
    if (local !== 8080) return plan;
    const rest = plan.checks.filter((check) => check.title !== 'Local ports');
    return { ...plan, ready: false, restorer: false, checks: [portTaken, noRestorer, ...rest] };
  };
}

function occupied(world: World): void {
  sampleShop(world);
  const started = world.ago(47 * 60);
  const mark = { id: '81b2e0', user: 'jonas', host: 'pier', started, mine: false };
  world.clusters.change('sandbox', 'services', (rows) =>
    rows.map((row) => (row.name === 'orders' ? { ...row, session: mark } : row)),
  );
  world.launch.amend = (plan, request) => {
    if (request.takeOver) return { ...plan, occupiedBy: mark };
    const check: Check = {
      title: 'Session',
      tone: 'bad',
      message: 'deployment/orders is in the session of jonas on pier, since 47 minutes.',
      fix: 'Wait until it ends, or take it over.',
      code: 'busy',
      takenNames: null,
    };
    return { ...plan, ready: false, occupiedBy: mark, checks: [check, ...plan.checks] };
  };
}

function planFails(world: World): void {
  sampleShop(world);
  let tries = 0;
  world.launch.amend = (plan) => {
    tries += 1;
    if (tries > 1) return plan;
    return refuse(
      'no_container_port',
      'service/orders selects no pods: there is nothing to redirect.',
      'Choose a workload, or start one that the service selects.',
      'selector: app=orders',
    );
  };
}

function connectFails(world: World): void {
  profiles(world);
  world.launch.beforeConnect = () =>
    refuse(
      'conflict',
      'deployment/orders was changed by someone else since the plan was read.',
      'Read the plan again.',
      'the server replied 409: the object has been modified',
    );
}

function leftovers(world: World): void {
  sampleShop(world);
  const about = { context: 'sandbox', namespace: 'shop', user: null, host: null, repairing: false };
  world.app.leftovers = [
    {
      ...about,
      id: '9d01c4',
      workload: 'deployment/orders',
      started: world.ago(26 * 3600),
      message: 'The agent is still in place; this machine’s last run did not end well.',
    },
    {
      ...about,
      id: '77aa10',
      workload: 'statefulset/payments',
      user: 'jonas',
      host: 'pier',
      started: world.ago(3 * 86_400),
      message: 'Its lease has lapsed and no restorer runs.',
    },
  ];
}

/** Names in the hosts file: administrator rights are asked for. */
function hostsFile(world: World): void {
  sampleShop(world);
  world.app.preferences = { ...world.app.preferences, mode: 'hostsFile' };
}

function rightsRefused(world: World): void {
  hostsFile(world);
  world.launch.beforeConnect = (request) => {
    if (request?.mode !== 'hostsFile') return;
    world.app.helper = { state: 'notGranted' };
    world.emit({ kind: 'helper', helper: world.app.helper });
    refuse(
      'not_granted',
      'Administrator rights were not granted, so nothing was changed.',
      'Ask again, or use the mode that needs none.',
    );
  };
}

/** Two ports are taken; the first program does not end when it is told to. */
function portsTaken(world: World): void {
  hostsFile(world);
  let taken = takenPorts;
  world.launch.onStop = ({ port, how }) => {
    if (port === 8080 && how === 'ask')
      return { free: false, ended: false, message: 'node (process 41213) still runs after 10 s.' };
    taken = taken.filter((one) => one.port !== port);
    return { free: true, ended: true, message: `Port ${port} is free.` };
  };
  world.launch.amend = (plan, request) => {
    const left = taken.filter(
      ({ remote, wantedBy }) =>
        !request.ports.some((mapped) => mapped.remote === String(remote)) &&
        !wantedBy.some((service) => request.exclude.includes(service)),
    );
    if (left.length === 0) return plan;
    const checks = left.map(({ address, port }) => ({
      ...portTaken,
      message: `Port ${port} of ${address} is taken.`,
    }));
    const rest = plan.checks.filter((check) => check.title !== 'Local ports');
    return { ...plan, ready: false, taken: left, checks: [...checks, ...rest] };
  };
}

/** Another session has the name of a service for another cluster's. */
function namesTaken(world: World): void {
  hostsFile(world);
  const other = 'your session on deployment/orders (namespace shop) in context staging';
  const refused: Check = {
    title: 'names',
    tone: 'bad',
    message: `redis already leads somewhere else, for ${other}.`,
    fix: 'Whoever has a name first keeps it. Do without these names and reach each by its other names, such as redis.shop (--without-taken-names), do without any and reach services on 127.0.0.1 (--no-admin), start the program with a hosts file of its own (--mount --no-admin), or end that session.',
    code: 'name_taken',
    takenNames: 'refuse',
  };
  const without: Check = {
    title: 'names',
    tone: 'warning',
    message: `redis already leads somewhere else, for ${other}, and stays so: this session's services are reached as redis.shop.`,
    fix: null,
    code: null,
    takenNames: 'goWithout',
  };
  world.launch.amend = (plan, request) => {
    if (request.mode !== 'hostsFile') return plan;
    if (!request.withoutTakenNames) {
      return { ...plan, ready: false, checks: [refused, ...plan.checks] };
    }
    const hosts = plan.hosts.map(({ address, names }) => ({
      address,
      names: names.filter((name) => name !== 'redis'),
    }));
    return { ...plan, hosts, checks: [without, ...plan.checks] };
  };
}

/** A project file where the program lives, and one that is broken. */
function projectFiles(world: World): void {
  hostsFile(world);
  const broken = '/home/mara/src/broken/towline.yaml';
  world.chosen = projectFile;
  world.projects.broken.set(broken, 'line 4, column 1: unknown key prots.');
  world.projects.files.set(projectFile, {
    target: 'service/orders',
    namespace: 'shop',
    ports: [{ remote: '8080', local: 3000 }],
    externalHosts: [{ name: 'db.example.com', ports: [5432] }],
    program: { start: 'command', line: 'python3 orders.py', directory: '/home/mara/src/orders' },
    leaseSeconds: 60,
    timeoutSeconds: 90,
    envFile: '/home/mara/src/orders/.env.towline',
    variables: [
      { name: 'CATALOGUE', value: 'http://${service:catalogue.address}/' },
      { name: 'DATABASE', value: 'postgres://${externalHost:db.example.com.address}/orders' },
      { name: 'LANG', value: null },
    ],
    warnings: [
      'kubeconfig: /home/mara/src/orders/kubeconfig is not among the files of the settings, so its contexts are not known here. Add it there.',
    ],
  });
}

/** Scenarios of the launcher, and of what earlier runs have left. */
export const launchScenarios: Record<string, (world: World) => void> = {
  profiles,
  blocked,
  occupied,
  'plan-fails': planFails,
  'connect-fails': connectFails,
  leftovers,
  'hosts-file': hostsFile,
  'rights-refused': rightsRefused,
  'ports-taken': portsTaken,
  'names-taken': namesTaken,
  'project-files': projectFiles,
};
