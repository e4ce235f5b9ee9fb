import { context } from './data/shop';
import type { World } from './world';

/** Contexts as a developer has them; nothing is picked. */
export function kubeconfig(world: World): void {
  world.app.contexts.contexts = [
    context('production', { server: 'https://k8s.example.com', namespace: 'shop' }),
    context('sandbox', { current: true, namespace: 'shop' }),
    context('staging', {
      server: 'https://staging.k8s.example.com',
      plugin: 'gke-gcloud-auth-plugin',
      file: '/home/mara/.kube/staging.yaml',
    }),
  ];
  world.app.contexts.files = ['/home/mara/.kube/config', '/home/mara/.kube/staging.yaml'];
}

/** The sandbox with the sample shop, connected. */
export function sampleShop(world: World): void {
  kubeconfig(world);
  world.clusters.open('sandbox');
}
