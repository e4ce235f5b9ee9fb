import type { SessionVolume, Volume } from '../../types';
import type { World } from '../world';
import { POD_A } from './session';

export function volumes(): Volume[] {
  const mount = { readOnly: true, subPath: null, comes: 'keptFresh' as const };
  return [
    {
      ...mount,
      name: 'settings',
      mountPath: '/etc/orders',
      kind: 'config map',
      source: 'orders-settings',
    },
    {
      ...mount,
      name: 'keys',
      mountPath: '/etc/orders-secrets',
      kind: 'secret',
      source: 'orders-keys',
    },
    {
      ...mount,
      name: 'about',
      mountPath: '/var/run/about',
      kind: 'projected',
      source: 'service account token, downward API, config map shop',
    },
    {
      ...mount,
      name: 'data',
      mountPath: '/var/lib/orders',
      kind: 'claim',
      source: 'orders-data',
      readOnly: false,
      comes: 'onDemand',
    },
    {
      ...mount,
      name: 'scratch',
      mountPath: '/tmp',
      kind: 'empty directory',
      source: null,
      readOnly: false,
      comes: 'onDemand',
    },
    {
      ...mount,
      name: 'kube-api-access-7tq2m',
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      kind: 'projected',
      source: 'service account token, config map kube-root-ca.crt, downward API',
    },
  ];
}

const ROOT = '/run/user/1000/towline/4c19e7/root';

/** The volumes of a session that has been connected for a while. */
export function sessionVolumes(world: World, list = volumes()): SessionVolume[] {
  return list.map((volume) => {
    const fresh = volume.comes === 'keptFresh';
    return {
      volume,
      pod: POD_A,
      path: fresh ? `${ROOT}${volume.mountPath}` : null,
      state: fresh ? { state: 'fresh', since: world.ago(840) } : { state: 'onDemand' },
      size: fresh ? { files: 3, bytes: 1_284, complete: true } : null,
    };
  });
}
