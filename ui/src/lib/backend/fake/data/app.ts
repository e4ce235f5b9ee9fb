import type { App, Preferences } from '../../types';

export function preferences(): Preferences {
  return {
    theme: 'system',
    mode: 'noAdministrator',
    leaseSeconds: 120,
    kubeconfigFiles: [],
    notifications: true,
    logLevel: 'info',
    contexts: [],
    file: '/home/mara/.config/towline/settings.yaml',
    logDirectory: '/tmp/Towline',
    problem: null,
  };
}

export function emptyApp(): App {
  return {
    version: '0.1.0',
    platform: 'linux',
    user: 'mara',
    host: 'harbour',
    contexts: { contexts: [], broken: [], error: null, files: ['/home/mara/.kube/config'] },
    clusters: [],
    sessions: [],
    profiles: [],
    preferences: preferences(),
    leftovers: [],
    helper: { state: 'idle' },
  };
}
