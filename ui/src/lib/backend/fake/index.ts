import type { Backend } from '../backend';
import { FakeClusters } from './clusters';
import { FakeDiagnosis } from './diagnosis';
import { FakeLaunch } from './launch';
import { FakeLogs } from './logs';
import { FakePreferences } from './preferences';
import { FakeProjects } from './projects';
import { scenarios } from './scenarios';
import { FakeSessions } from './sessions';
import { FakeVolumes } from './volumes';
import { World } from './world';

/** A backend in memory: for the tests in a browser, and for designing without a cluster. */
export function createFake(name: string): Backend & { world: World } {
  const world = new World(name);
  const clusters = new FakeClusters(world);
  const sessions = new FakeSessions(world);
  const volumes = new FakeVolumes(world);
  const launch = new FakeLaunch(world, sessions);
  const logs = new FakeLogs(world);
  const diagnosis = new FakeDiagnosis(world);
  const preferences = new FakePreferences(world);
  const projects = new FakeProjects(world);

  const scenario = scenarios[name];
  if (!scenario)
    throw new Error(`no scenario ${name}; there are: ${Object.keys(scenarios).join(', ')}`);
  scenario(world);

  return {
    world,
    subscribe: async (send) => world.subscribe(send),
    ready: async () => {},

    connectCluster: (context, namespaces) => clusters.connectCluster(context, namespaces),
    disconnectCluster: (context) => clusters.disconnectCluster(context),
    watchNamespaces: (context, namespaces) => clusters.watchNamespaces(context, namespaces),
    rows: (query) => clusters.rows(query),

    plan: (request) => launch.plan(request),
    containers: (context, namespace, target) => launch.containers(context, namespace, target),
    connect: (planId) => launch.connect(planId),
    findHolders: (address, port) => launch.findHolders(address, port),
    stopHolder: (stop) => launch.stopHolder(stop),
    saveProfile: (profile) => launch.saveProfile(profile),
    removeProfile: (id) => launch.removeProfile(id),
    chooseDirectory: async () => '/home/mara/src/orders',
    chooseFile: async () => world.chosen,
    externalHost: (typed) => projects.externalHost(typed),
    readProject: (file, request) => projects.readProject(file, request),
    findProject: (directory) => projects.findProject(directory),
    saveProject: (request, start) => projects.saveProject(request, start),

    stopSession: (id) => sessions.stopSession(id),
    reconnectSession: (id) => sessions.reconnectSession(id),
    dismissSession: (id) => sessions.dismissSession(id),
    startProgram: (id) => sessions.startProgram(id),
    stopProgram: (id) => sessions.stopProgram(id),
    restartProgram: (id) => sessions.restartProgram(id),
    debuggees: (id) => sessions.debuggees(id),
    environment: (id) => sessions.environment(id),
    reveal: (id, variable) => sessions.reveal(id, variable),
    copyEnvironment: (id, format) => sessions.copyEnvironment(id, format),
    connections: (id) => sessions.connections(id),
    testListener: (id, namespace, service, port) =>
      sessions.testListener(id, namespace, service, port),
    events: (id, from, limit) => sessions.events(id, from, limit),

    measureVolume: (id, volume) => volumes.measureVolume(id, volume),
    listVolume: (id, volume, directory) => volumes.listVolume(id, volume, directory),
    fetchVolume: (id, volume, paths) => volumes.fetchVolume(id, volume, paths),
    cancelFetch: (id, volume) => volumes.cancelFetch(id, volume),
    chooseVolumePod: (id, volume, pod) => volumes.chooseVolumePod(id, volume, pod),
    writeBack: (id, volume, paths, ifChanged) => volumes.writeBack(id, volume, paths, ifChanged),
    changedFiles: (id, volume) => volumes.changedFiles(id, volume),
    openVolume: (id, volume) => volumes.openVolume(id, volume),

    logs: (query) => logs.logs(query),
    openPodLog: (query) => logs.openPodLog(query),
    closePodLog: (log) => logs.closePodLog(log),
    exportLog: (query) => logs.exportLog(query),

    diagnose: () => diagnosis.diagnose(),
    diagnosticReport: () => diagnosis.diagnosticReport(),
    repair: (leftover) => diagnosis.repair(leftover),
    repairHosts: () => diagnosis.repairHosts(),
    openLogDirectory: () => diagnosis.openLogDirectory(),

    savePreferences: (wished) => preferences.savePreferences(wished),
    copy: async (text) => {
      world.copied = text;
    },
    quit: async () => {
      world.hasQuit = true;
    },
  };
}
