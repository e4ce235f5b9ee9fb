import { context } from './data/shop';
import { kubeconfig, sampleShop } from './sample';
import { launchScenarios } from './launchScenarios';
import { crowd, longNamespace, strangeNames } from './data/crowd';
import { forbidden, pluginFailed, unreachable } from './data/refusals';
import { sessionScenarios } from './sessionScenarios';
import type { World } from './world';

function authenticating(world: World): void {
  kubeconfig(world);
  world.clusters.onConnect = (name) => {
    const opened = world.app.clusters.find((cluster) => cluster.context === name);
    if (!opened) return;
    world.clusters.put({
      ...opened,
      phase: {
        phase: 'connecting',
        plugin: 'gke-gcloud-auth-plugin',
        said: 'To sign in, open https://login.example.com/device\nand type the code FJWK-QZPD.',
        since: Date.now(),
      },
    });
  };
}

function failing(world: World): void {
  kubeconfig(world);
  world.clusters.onConnect = (name) =>
    world.clusters.open(name, {
      phase: { phase: 'failed', report: pluginFailed },
      version: null,
      heard: null,
      tables: [],
    });
}

function stale(world: World): void {
  kubeconfig(world);
  const since = world.ago(95);
  const state = { state: 'stale' as const, since, report: unreachable };
  world.clusters.open('sandbox', {
    phase: { phase: 'unreachable', since, report: unreachable },
    heard: since,
    tables: [
      { table: 'services', revision: 1, total: 0, state },
      { table: 'workloads', revision: 1, total: 0, state },
      { table: 'pods', revision: 1, total: 0, state },
    ],
  });
}

function noRights(world: World): void {
  kubeconfig(world);
  const refused = (resource: string) => ({
    state: 'forbidden' as const,
    report: forbidden(resource, 'at the cluster scope'),
  });
  world.clusters.open('sandbox', {
    namespaces: [],
    namespacesRefused: forbidden('namespaces', 'at the cluster scope'),
    watched: [],
    defaultNamespace: null,
    tables: [
      { table: 'services', revision: 1, total: 0, state: refused('services') },
      { table: 'workloads', revision: 1, total: 0, state: refused('deployments') },
      { table: 'pods', revision: 1, total: 0, state: refused('pods') },
    ],
  });
}

function broken(world: World): void {
  kubeconfig(world);
  world.app.contexts.contexts = world.app.contexts.contexts.filter(
    ({ name }) => name !== 'staging',
  );
  world.app.contexts.broken = [
    {
      file: '/home/mara/.kube/staging.yaml',
      reason: 'line 14, column 5: did not find expected key while parsing a block mapping',
    },
  ];
}

function noKubeconfig(world: World): void {
  world.app.contexts.error = {
    code: 'no_kubeconfig',
    message: 'There is no kubeconfig at /home/mara/.kube/config.',
    hint: 'Set KUBECONFIG, or choose the files under Settings.',
    detail: null,
  };
}

function loading(world: World): void {
  kubeconfig(world);
  const table = (kind: 'services' | 'workloads' | 'pods') => ({
    table: kind,
    revision: 0,
    total: 0,
    state: { state: 'loading' as const },
  });
  world.clusters.open('sandbox', {
    tables: [table('services'), table('workloads'), table('pods')],
  });
}

/** What a world looks like at the start, by the name in `?scenario=NAME`. */
export const scenarios: Record<string, (world: World) => void> = {
  idle: kubeconfig,
  connected: sampleShop,
  authenticating,
  failing,
  unreachable: stale,
  forbidden: noRights,
  broken,
  'no-kubeconfig': noKubeconfig,
  loading,
  empty: (world) => {
    kubeconfig(world);
    world.clusters.open('sandbox', {}, { services: [], workloads: [], pods: [] });
  },
  crowd: (world) => {
    kubeconfig(world);
    world.clusters.open('sandbox', {}, crowd());
  },
  names: (world) => {
    kubeconfig(world);
    world.app.contexts.contexts.push(
      context(`gke_acme-platform-production_europe-west1_${longNamespace}`),
    );
    const namespaces = [longNamespace, 'shop'];
    world.clusters.open('sandbox', { namespaces, watched: namespaces }, strangeNames());
  },
  ...launchScenarios,
  ...sessionScenarios,
};
