import type { Here, Variable } from '../../types';
import { POD_A } from './session';

interface More {
  here?: Here;
  clusterValue?: string;
  staysLocal?: boolean;
}

function variable(
  name: string,
  value: string | null,
  originKind: string,
  origin: string,
  { here = 'absent', clusterValue, staysLocal = false }: More = {},
): Variable {
  const secret = originKind === 'secret';
  return {
    name,
    value,
    secret,
    origin,
    originKind,
    clusterValue: clusterValue ?? null,
    staysLocal,
    here,
  };
}

const literal = (name: string, value: string, more?: More) =>
  variable(name, value, 'literal', 'literal', more);

/** A service's variables, as the kubelet sets them and as they are rewritten. */
function service(
  name: string,
  address: string,
  port: number,
  local: number,
  portName: string,
): Variable[] {
  const upper = name.toUpperCase();
  const origin = `service ${name}`;
  const rewritten = (suffix: string, here: string, there: string) =>
    variable(`${upper}_${suffix}`, here, 'service', origin, { clusterValue: there });
  return [
    rewritten('PORT', `tcp://127.0.0.1:${local}`, `tcp://${address}:${port}`),
    rewritten(`PORT_${port}_TCP`, `tcp://127.0.0.1:${local}`, `tcp://${address}:${port}`),
    rewritten(`PORT_${port}_TCP_ADDR`, '127.0.0.1', address),
    rewritten(`PORT_${port}_TCP_PORT`, `${local}`, `${port}`),
    variable(`${upper}_PORT_${port}_TCP_PROTO`, 'tcp', 'service', origin),
    rewritten('SERVICE_HOST', '127.0.0.1', address),
    rewritten('SERVICE_PORT', `${local}`, `${port}`),
    rewritten(`SERVICE_PORT_${portName.toUpperCase()}`, `${local}`, `${port}`),
  ];
}

/** What the secrets hold: given only when asked for. */
export const SECRETS: Record<string, string> = {
  CERTIFICATE: '-----BEGIN SAMPLE-----\nAAAA\n-----END SAMPLE-----\n',
  PAYMENT_TOKEN: "tok-1 with spaces = and 'quotes'",
  REDIS_PASSWORD: 'sesame',
};

/** The environment of orders, as docs/environment.md has it. */
export function environment(): Variable[] {
  const field = (name: string, value: string, path: string, more?: More) =>
    variable(name, value, 'field', `field ${path}`, more);
  return [
    field('APP', 'orders', "metadata.labels['app']"),
    ...service('catalogue', '10.96.1.20', 8080, 40001, 'http')
      .filter((one) => one.name.includes('SERVICE'))
      .map((one) => ({
        ...one,
        originKind: 'towline',
        origin: 'Towline, for service catalogue',
        clusterValue: null,
      })),
    variable('CERTIFICATE', null, 'secret', 'secret orders-environment, key CERTIFICATE'),
    variable('CPU_LIMIT', '500', 'resource', 'resource limits.cpu'),
    variable('CURRENCY', 'EUR', 'configMap', 'config map orders-settings, key currency', {
      here: 'same',
    }),
    literal('EMPTY', ''),
    ...service('gateway', '10.96.1.10', 80, 40002, 'http'),
    variable(
      'GPG_KEY',
      'A035C8C19219BA821ECEA86B64E628F8D684696D',
      'image',
      'image sandbox.local/shop:1',
    ),
    literal('GREETING', 'Dear customer,\n\n  thank you for your order.\n'),
    variable('HOME', '/home/mara', 'runtime', 'container runtime', {
      here: 'same',
      staysLocal: true,
      clusterValue: '/',
    }),
    variable('HOSTNAME', POD_A, 'runtime', 'container runtime', { here: 'different' }),
    ...service('kubernetes', '10.96.0.1', 443, 40005, 'https'),
    variable('LANG', 'en_GB.UTF-8', 'image', 'image sandbox.local/shop:1', {
      here: 'same',
      staysLocal: true,
      clusterValue: 'C.UTF-8',
    }),
    literal('LEADING_AND_TRAILING', '  spaces  '),
    variable('MEMORY_LIMIT', '96', 'resource', 'resource limits.memory'),
    literal('MOTTO', '"Half" the price of $HOME & \'more\' \\ than `5 $$` — größer, 日本, 100 %'),
    field('NODE_NAME', 'sandbox', 'spec.nodeName'),
    literal('NOT_EXPANDED', '$(POD_NAME) and $(NO_SUCH_VARIABLE)'),
    field('OWNER', 'team orders', "metadata.annotations['shop.example/owner']"),
    variable(
      'PATH',
      '/home/mara/.local/bin:/usr/local/bin:/usr/bin:/bin',
      'image',
      'image sandbox.local/shop:1',
      { here: 'same', staysLocal: true, clusterValue: '/usr/local/bin:/usr/bin:/bin' },
    ),
    variable('PAYMENT_TOKEN', null, 'secret', 'secret orders-environment, key PAYMENT_TOKEN', {
      here: 'different',
    }),
    field('POD_IP', '10.244.0.37', 'status.podIP'),
    field('POD_NAME', POD_A, 'metadata.name'),
    field('POD_NAMESPACE', 'shop', 'metadata.namespace'),
    variable('REDIS_PASSWORD', null, 'secret', 'secret redis, key password'),
    ...service('redis', '10.96.1.40', 6379, 40006, 'redis'),
    literal('SELF_URL', `http://${POD_A}.shop:8080`),
    variable(
      'SHOP_OPENING_HOURS',
      '08:00-18:00',
      'configMap',
      'config map shop, key OPENING_HOURS',
    ),
    variable('SHOP_REGION', 'north', 'configMap', 'config map shop, key REGION', {
      here: 'different',
    }),
    variable('TOWLINE_KUBERNETES_CA', '/run/user/1000/towline/4c19e7-ca.pem', 'towline', 'Towline'),
  ];
}
