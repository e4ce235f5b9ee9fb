import { Channel, invoke } from '@tauri-apps/api/core';
import type { Backend } from './backend';
import type { Frame } from './types';

/**
 * The application: each call is one command of the shell, named as the method in snake case; the
 * arguments keep their names. The only module that knows Tauri.
 */
export const tauri: Backend = {
  subscribe: (onFrame) => {
    const frames = new Channel<Frame>();
    frames.onmessage = onFrame;
    return invoke('subscribe', { frames });
  },
  ready: () => invoke('ready'),

  connectCluster: (context, namespaces) => invoke('connect_cluster', { context, namespaces }),
  disconnectCluster: (context) => invoke('disconnect_cluster', { context }),
  watchNamespaces: (context, namespaces) => invoke('watch_namespaces', { context, namespaces }),
  rows: (query) => invoke('rows', { query }),

  plan: (request) => invoke('plan', { request }),
  containers: (context, namespace, target) => invoke('containers', { context, namespace, target }),
  connect: (planId) => invoke('connect', { planId }),
  findHolders: (address, port) => invoke('find_holders', { address, port }),
  stopHolder: (stop) => invoke('stop_holder', { stop }),
  saveProfile: (profile) => invoke('save_profile', { profile }),
  removeProfile: (id) => invoke('remove_profile', { id }),
  chooseDirectory: (start) => invoke('choose_directory', { start }),
  chooseFile: (start) => invoke('choose_file', { start }),
  externalHost: (typed) => invoke('external_host', { typed }),
  readProject: (file, request) => invoke('read_project', { file, request }),
  findProject: (directory) => invoke('find_project', { directory }),
  saveProject: (request, start) => invoke('save_project', { request, start }),

  stopSession: (id) => invoke('stop_session', { id }),
  reconnectSession: (id) => invoke('reconnect_session', { id }),
  dismissSession: (id) => invoke('dismiss_session', { id }),
  startProgram: (id) => invoke('start_program', { id }),
  stopProgram: (id) => invoke('stop_program', { id }),
  restartProgram: (id) => invoke('restart_program', { id }),
  debuggees: (id) => invoke('debuggees', { id }),
  environment: (id) => invoke('environment', { id }),
  reveal: (id, name) => invoke('reveal', { id, name }),
  copyEnvironment: (id, format) => invoke('copy_environment', { id, format }),
  connections: (id) => invoke('connections', { id }),
  testListener: (id, namespace, service, port) =>
    invoke('test_listener', { id, namespace, service, port }),
  events: (id, from, limit) => invoke('events', { id, from, limit }),

  measureVolume: (id, volume) => invoke('measure_volume', { id, volume }),
  listVolume: (id, volume, directory) => invoke('list_volume', { id, volume, directory }),
  fetchVolume: (id, volume, paths) => invoke('fetch_volume', { id, volume, paths }),
  cancelFetch: (id, volume) => invoke('cancel_fetch', { id, volume }),
  chooseVolumePod: (id, volume, pod) => invoke('choose_volume_pod', { id, volume, pod }),
  writeBack: (id, volume, paths, ifChanged) =>
    invoke('write_back', { id, volume, paths, ifChanged }),
  changedFiles: (id, volume) => invoke('changed_files', { id, volume }),
  openVolume: (id, volume) => invoke('open_volume', { id, volume }),

  logs: (query) => invoke('logs', { query }),
  openPodLog: (query) => invoke('open_pod_log', { query }),
  closePodLog: (log) => invoke('close_pod_log', { log }),
  exportLog: (query) => invoke('export_log', { query }),

  diagnose: () => invoke('diagnose'),
  diagnosticReport: () => invoke('diagnostic_report'),
  repair: (leftover) => invoke('repair', { leftover }),
  repairHosts: () => invoke('repair_hosts'),
  openLogDirectory: () => invoke('open_log_directory'),

  savePreferences: (preferences) => invoke('save_preferences', { preferences }),
  copy: (text) => invoke('copy', { text }),
  quit: () => invoke('quit'),
};
