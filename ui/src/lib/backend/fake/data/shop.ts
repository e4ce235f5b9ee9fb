import type { Cluster, Context, Row, TableKind } from '../../types';

/** A cluster's rows, by table. */
export type Tables = Record<TableKind, Row[]>;

const DAY = 86_400;

export function context(name: string, changes: Partial<Context> = {}): Context {
  return {
    name,
    cluster: name,
    user: `${name}-user`,
    namespace: null,
    server: 'https://127.0.0.1:6443',
    current: false,
    file: '/home/mara/.kube/config',
    plugin: null,
    ...changes,
  };
}

/** A cluster as it is just after it answered; its tables are empty and live. */
export function cluster(name: string, changes: Partial<Cluster> = {}): Cluster {
  const table = (kind: TableKind) => ({
    table: kind,
    revision: 1,
    total: 0,
    state: { state: 'live' as const },
  });
  return {
    context: name,
    phase: { phase: 'connected' },
    server: 'https://127.0.0.1:6443',
    version: 'v1.20.2',
    defaultNamespace: 'shop',
    namespaces: ['default', 'kube-system', 'monitoring', 'shop'],
    namespacesRefused: null,
    watched: ['shop'],
    tables: [table('services'), table('workloads'), table('pods')],
    heard: Date.now(),
    ...changes,
  };
}

function row(namespace: string, kind: string, name: string, changes: Partial<Row>): Row {
  return {
    key: `${namespace}/${kind.toLowerCase()}/${name}`,
    namespace,
    name,
    kind,
    target: `${kind.toLowerCase()}/${name}`,
    whyNot: null,
    ready: null,
    wanted: null,
    status: '',
    tone: 'good',
    ports: [],
    address: null,
    images: [],
    containers: [],
    restarts: null,
    node: null,
    created: Date.now() - (12 * DAY + 60) * 1000,
    session: null,
    ...changes,
  };
}

export function service(namespace: string, name: string, changes: Partial<Row> = {}): Row {
  const key = `${namespace}/service/${name}`;
  const target = `service/${name}`;
  const address = '10.96.14.7';
  return row(namespace, 'ClusterIP', name, { key, target, address, ...changes });
}

export function workload(
  namespace: string,
  kind: string,
  name: string,
  changes: Partial<Row> = {},
): Row {
  return row(namespace, kind, name, { ready: 1, wanted: 1, containers: [name], ...changes });
}

export function pod(namespace: string, name: string, changes: Partial<Row> = {}): Row {
  return row(namespace, 'deployment/orders', name, {
    key: `${namespace}/pod/${name}`,
    target: `pod/${name}`,
    ready: 1,
    wanted: 1,
    status: 'Running',
    restarts: 0,
    node: 'sandbox',
    containers: ['orders'],
    ...changes,
  });
}

/** The sample shop: what the sandbox runs, and a few things that go wrong in real clusters. */
export function shopTables(): Tables {
  const now = Date.now();
  const ago = (seconds: number) => now - seconds * 1000;
  return {
    services: [
      service('shop', 'catalogue', { ports: ['http 80→8080/TCP'], address: '10.96.201.4' }),
      service('shop', 'frontend', { kind: 'NodePort', ports: ['http 80→3000/TCP', '30080/TCP'] }),
      service('shop', 'orders', { ports: ['http 80→8080/TCP', 'metrics 9100/TCP'] }),
      service('shop', 'payments', { kind: 'Headless', ports: ['grpc 9000/TCP'], address: null }),
      service('shop', 'redis', { ports: ['6379/TCP'], address: '10.96.77.31' }),
      service('shop', 'search', { ports: ['80→8000/TCP'], created: ago(3 * 3600) }),
      service('shop', 'tax', {
        kind: 'ExternalName',
        address: 'tax.example.com',
        target: null,
        whyNot: 'It is an external name: there is no pod behind it.',
        tone: 'neutral',
      }),
    ],
    workloads: [
      workload('shop', 'Deployment', 'catalogue', {
        ready: 2,
        wanted: 2,
        ports: ['8080/TCP'],
        images: ['registry.example/shop/catalogue:2.4.1'],
      }),
      workload('shop', 'Deployment', 'frontend', {
        ready: 3,
        wanted: 3,
        ports: ['3000/TCP'],
        images: ['registry.example/shop/frontend:5.0.0'],
      }),
      workload('shop', 'Deployment', 'orders', {
        ready: 1,
        wanted: 1,
        ports: ['8080/TCP', '9100/TCP'],
        images: ['registry.example/shop/orders:1.9.3'],
      }),
      workload('shop', 'StatefulSet', 'payments', {
        ready: 2,
        wanted: 3,
        tone: 'warning',
        ports: ['9000/TCP'],
        images: ['registry.example/shop/payments:0.8.0'],
      }),
      workload('shop', 'StatefulSet', 'redis', { ports: ['6379/TCP'], images: ['redis:7-alpine'] }),
      workload('shop', 'Deployment', 'search', {
        ready: 0,
        wanted: 1,
        tone: 'bad',
        ports: ['8000/TCP'],
        images: ['registry.example/shop/search:nightly'],
        created: ago(3 * 3600),
      }),
    ],
    pods: [
      pod('shop', 'catalogue-7d9c6b5f4d-2xkqz', {
        kind: 'deployment/catalogue',
        containers: ['catalogue'],
      }),
      pod('shop', 'catalogue-7d9c6b5f4d-9wm4t', {
        kind: 'deployment/catalogue',
        containers: ['catalogue'],
      }),
      pod('shop', 'frontend-5b8f7c9d6-4hj7k', { kind: 'deployment/frontend' }),
      pod('shop', 'frontend-5b8f7c9d6-kq2vn', { kind: 'deployment/frontend', restarts: 1 }),
      pod('shop', 'frontend-5b8f7c9d6-z8r5m', { kind: 'deployment/frontend' }),
      pod('shop', 'orders-6c4d8f9b7-lx5wp', {
        created: ago(5 * 3600),
        ports: ['8080/TCP', '9100/TCP'],
      }),
      pod('shop', 'payments-0', { kind: 'statefulset/payments' }),
      pod('shop', 'payments-1', { kind: 'statefulset/payments' }),
      pod('shop', 'payments-2', {
        kind: 'statefulset/payments',
        ready: 0,
        status: 'CrashLoopBackOff',
        tone: 'bad',
        restarts: 47,
        created: ago(4 * 3600),
      }),
      pod('shop', 'redis-0', { kind: 'statefulset/redis' }),
      pod('shop', 'search-85d7c6f4b8-tt9cs', {
        kind: 'deployment/search',
        ready: 0,
        status: 'ImagePullBackOff',
        tone: 'bad',
        created: ago(3 * 3600),
      }),
    ],
  };
}
