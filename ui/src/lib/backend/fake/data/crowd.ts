import { pod, service, workload, type Tables } from './shop';

const NAMES = ['api', 'billing', 'cart', 'delivery', 'email', 'feed', 'gateway', 'ledger'];

/** A cluster of 500 services and 5,000 pods. */
export function crowd(): Tables {
  const name = (index: number) =>
    `${NAMES[index % NAMES.length]}-${String(index).padStart(3, '0')}`;
  const indices = Array.from({ length: 500 }, (_, index) => index);
  return {
    services: indices.map((i) => service('shop', name(i), { ports: ['http 80→8080/TCP'] })),
    workloads: indices.map((i) =>
      workload('shop', 'Deployment', name(i), {
        ready: 10,
        wanted: 10,
        images: [`registry.example/crowd/${name(i)}:1.0.${i}`],
      }),
    ),
    pods: indices.flatMap((i) =>
      Array.from({ length: 10 }, (_, n) =>
        pod('shop', `${name(i)}-5d8c7f9b6-${String(n).padStart(5, '0')}`, {
          kind: `deployment/${name(i)}`,
          restarts: (i * n) % 7 === 6 ? 3 : 0,
        }),
      ),
    ),
  };
}

const LONG = 'settlement-reconciliation-and-cross-border-clearing-service-eu1';
const RTL = 'خدمة-الطلبات';

/** Names of 63 characters, and text that runs from right to left (custom resources may show it). */
export function strangeNames(): Tables {
  return {
    services: [
      service(LONG, LONG, {
        ports: ['https-with-a-long-name 443→8443/TCP', 'metrics 9100/TCP', '9101/TCP'],
      }),
      service(LONG, `${LONG.slice(0, 60)}-v2`, { ports: ['80/TCP'] }),
      service('shop', RTL, { ports: ['80/TCP'] }),
      service('shop', 'orders', { ports: ['80/TCP'] }),
    ],
    workloads: [workload(LONG, 'StatefulSet', LONG), workload('shop', 'Deployment', RTL)],
    pods: [pod(LONG, `${LONG.slice(0, 52)}-0`, { status: 'ContainerStatusUnknown', tone: 'bad' })],
  };
}

export const longNamespace = LONG;
