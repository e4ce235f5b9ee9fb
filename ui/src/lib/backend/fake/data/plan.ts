import type {
  Check,
  ContainerChoice,
  FieldChange,
  HostsLine,
  InboundPort,
  LaunchRequest,
  OutboundService,
  Plan,
} from '../../types';

const AGENT = 'registry.example/tools/towline-agent:0.1.0';

export function bareName(target: string): string {
  return target.slice(target.indexOf('/') + 1);
}

export function profileName(request: LaunchRequest): string {
  return `${bareName(request.target)} (${request.namespace})`;
}

export function containersOf(target: string): ContainerChoice[] {
  const name = bareName(target);
  return [
    {
      name,
      image: `registry.example/shop/${name}:1.9.3`,
      ports: ['http 8080/TCP', 'metrics 9100/TCP'],
      preferred: true,
    },
    { name: 'proxy', image: 'envoyproxy/envoy:v1.29', ports: ['15001/TCP'], preferred: false },
  ];
}

export function commandLine(request: LaunchRequest): string {
  const ports = request.ports.map(({ remote, local }) => ` -p ${remote}:${local}`).join('');
  const container = request.container ? ` -c ${request.container}` : '';
  const hosts = request.externalHosts
    .map(({ name, ports }) => ` --external-host ${name}:${ports.join(',')}`)
    .join('');
  const project = request.project ? ` --project ${request.project}` : '';
  const without = request.withoutTakenNames ? ' --without-taken-names' : '';
  const takeOver = request.takeOver ? ' --take-over' : '';
  const noAdmin = request.mode === 'noAdministrator' ? ' --no-admin' : '';
  const program = request.program.start === 'command' ? ` -- ${request.program.line}` : '';
  const where = `--context ${request.context} -n ${request.namespace}`;
  return `towline connect ${request.target}${project} ${where}${container}${ports}${hosts}${noAdmin}${without}${takeOver}${program}`;
}

/** What the core would say for this request on the sample shop. */
export function planFor(request: LaunchRequest): Plan {
  const name = bareName(request.target);
  const container = request.container ?? name;
  return {
    id: '',
    workload: `deployment/${name}`,
    namespace: request.namespace,
    context: request.context,
    server: 'https://127.0.0.1:6443',
    version: 'v1.20.2',
    container,
    containers: containersOf(request.target),
    replicas: 1,
    limitedTo: null,
    agentImage: request.agentImage ?? AGENT,
    fields: fields(container, name),
    objects: [
      { kind: 'Lease', name: 'towline-5f2c9a', purpose: 'says that this machine is there' },
      { kind: 'ServiceAccount', name: 'towline-5f2c9a', purpose: 'what the restorer acts as' },
      { kind: 'Role', name: 'towline-5f2c9a', purpose: `may restore deployment/${name} only` },
      { kind: 'RoleBinding', name: 'towline-5f2c9a', purpose: 'gives the restorer its role' },
      { kind: 'Job', name: 'towline-5f2c9a', purpose: 'restores if this machine goes away' },
    ],
    inbound: inbound(request, name),
    outbound: outbound(request),
    externalHosts: request.mode === 'hostsFile' ? request.externalHosts : [],
    variables: request.project ? ['CATALOGUE', 'DATABASE', 'LANG'] : [],
    mode: request.mode,
    hosts: hosts(request),
    rights:
      request.mode === 'hostsFile' ? { hostsFile: '/etc/hosts', ports: [80], asks: true } : null,
    taken: [],
    volumes: [
      {
        name: 'config',
        mountPath: '/etc/orders',
        kind: 'config map',
        source: 'orders-config',
        readOnly: true,
        subPath: null,
        comes: request.files === 'small' ? 'keptFresh' : 'no',
      },
    ],
    checks: [...withoutNames(request), ...goodChecks(name, request.namespace)],
    occupiedBy: null,
    ready: true,
    restorer: true,
    commandLine: '',
  };
}

function inbound(request: LaunchRequest, name: string): InboundPort[] {
  const local = (remote: number, named: string) =>
    request.ports.find((port) => port.remote === String(remote) || port.remote === named)?.local ??
    remote;
  return [
    {
      remote: 8080,
      protocol: 'TCP',
      local: local(8080, 'http'),
      name: 'http',
      services: [`${name}:80`],
    },
    {
      remote: 9100,
      protocol: 'TCP',
      local: local(9100, 'metrics'),
      name: 'metrics',
      services: [],
    },
  ];
}

function outbound(request: LaunchRequest): OutboundService[] {
  const spaces = request.namespaces.length > 0 ? request.namespaces : [request.namespace];
  const all = spaces.flatMap((namespace) => [
    { namespace, name: 'catalogue', ports: ['http 80'] },
    { namespace, name: 'frontend', ports: ['http 80'] },
    { namespace, name: 'payments', ports: ['grpc 9000'] },
    { namespace, name: 'redis', ports: ['6379'] },
    { namespace, name: 'search', ports: ['80'] },
  ]);
  return all.filter(({ name }) => !request.exclude.includes(`${name}.${request.namespace}`));
}

function hosts(request: LaunchRequest): HostsLine[] {
  if (request.mode !== 'hostsFile') return [];
  const services = outbound(request);
  const outside = request.externalHosts.map(({ name }, index) => ({
    address: `127.77.${31 + services.length + index}.${7 + index}`,
    names: [name],
  }));
  const inside = services.map(({ namespace, name }, index) => {
    const long = [`${name}.${namespace}`, `${name}.${namespace}.svc`];
    const names = [...long, `${name}.${namespace}.svc.cluster.local`];
    if (namespace === request.namespace) names.unshift(name);
    return { address: `127.77.${31 + index}.${5 + 11 * index}`, names };
  });
  return [...inside, ...outside];
}

function withoutNames({ mode, externalHosts }: LaunchRequest): Check[] {
  if (mode === 'hostsFile' || externalHosts.length === 0) return [];
  const names = externalHosts.map(({ name }) => name).join(', ');
  return [
    {
      title: 'external hosts',
      tone: 'warning',
      message: `Only a name can lead to a host outside the cluster, so without the hosts file the program reaches these from this machine, if at all: ${names}.`,
      fix: 'Choose “By their names”.',
      code: null,
      takenNames: null,
    },
  ];
}

function goodChecks(name: string, namespace: string): Check[] {
  const good = (title: string, message: string): Check => ({
    title,
    tone: 'good',
    message,
    fix: null,
    code: null,
    takenNames: null,
  });
  return [
    good('Rights', `You may do all that is needed in ${namespace}.`),
    good('Trial', `The cluster took the change of deployment/${name} without making it.`),
    good('Local ports', '8080 and 9100 are free on this machine.'),
  ];
}

function fields(container: string, name: string): FieldChange[] {
  const at = `spec.template.spec.containers[${container}]`;
  return [
    {
      path: `${at}.image`,
      before: `"registry.example/shop/${name}:1.9.3"`,
      after: `"${AGENT}"`,
    },
    { path: `${at}.command`, before: '["/usr/bin/python3"]', after: '["/towline-agent"]' },
    { path: `${at}.args`, before: `["${name}.py"]`, after: '["run"]' },
    {
      path: `${at}.readinessProbe`,
      before: '{"httpGet":{"path":"/healthz","port":"http"},"periodSeconds":5}',
      after: null,
    },
    { path: 'spec.template.metadata.labels[towline.dev/session]', before: null, after: '"5f2c9a"' },
  ];
}
