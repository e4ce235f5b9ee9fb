// The window's only door to Rust. Two implementations: `tauri.ts` (the application) and `fake/` (tests and design).
//
// Every call rejects with a `Report`, never with anything else. The window decides by `report.code`.

import type {
  Connection,
  ContainerChoice,
  Debuggees,
  DiagnosticCheck,
  EnvironmentFormat,
  ExternalHost,
  Frame,
  Holder,
  IfChanged,
  LaunchRequest,
  ListenerTest,
  LogPage,
  LogQuery,
  Plan,
  PodLogQuery,
  Preferences,
  Profile,
  ProjectFile,
  Repaired,
  RowsPage,
  RowsQuery,
  SessionEvent,
  StopHolder,
  Stopped,
  Variable,
  VolumeListing,
  VolumeSize,
  WriteOutcome,
} from './types';

export interface Backend {
  // ── The state ──────────────────────────────────────────────────────────────────────────────────────────
  /** Begins the frames; the first holds everything. Calling it again begins anew and ends the earlier subscription. */
  subscribe(onFrame: (frame: Frame) => void): Promise<void>;
  /** The first paint is done: the window may be shown. */
  ready(): Promise<void>;

  // ── Clusters ───────────────────────────────────────────────────────────────────────────────────────────
  /** Opens the cluster of a context and begins to watch `namespaces` (empty: the context's own). Returns at once; frames tell. */
  connectCluster(context: string, namespaces: string[]): Promise<void>;
  /** Lets a cluster go. Its sessions go on. */
  disconnectCluster(context: string): Promise<void>;
  /** Chooses the namespaces that are watched; empty: all of them. */
  watchNamespaces(context: string, namespaces: string[]): Promise<void>;
  rows(query: RowsQuery): Promise<RowsPage>;

  // ── Launching ──────────────────────────────────────────────────────────────────────────────────────────
  /** Reads all that a session would change. Changes nothing. */
  plan(request: LaunchRequest): Promise<Plan>;
  /** The containers of a target, for the picker. */
  containers(context: string, namespace: string, target: string): Promise<ContainerChoice[]>;
  /** Does what the plan says, and remembers the request as a profile. Gives the session's id. */
  connect(planId: string): Promise<string>;
  /** Who holds a port that another user's process has: asks for administrator rights. */
  findHolders(address: string, port: number): Promise<Holder[]>;
  /** Stops the process that holds a port: the user has said so for this very process. */
  stopHolder(stop: StopHolder): Promise<Stopped>;
  saveProfile(profile: Profile): Promise<void>;
  removeProfile(id: string): Promise<void>;
  /** Asks the user for a directory with the system's dialog; null: cancelled. */
  chooseDirectory(start: string | null): Promise<string | null>;
  /** Asks the user for a file with the system's dialog; null: cancelled. */
  chooseFile(start: string | null): Promise<string | null>;
  /** Understands what is typed for a host outside the cluster, as `db.example.com:5432`. */
  externalHost(typed: string): Promise<ExternalHost>;
  /** Reads a project file, and puts what it says into the form. Rejects with line and column. */
  readProject(file: string, request: LaunchRequest): Promise<ProjectFile>;
  /** The nearest project file in a directory or above it. */
  findProject(directory: string): Promise<string | null>;
  /** Asks for a file with the system's dialog and writes the form there as a project file; gives the path, null: cancelled. */
  saveProject(request: LaunchRequest, start: string | null): Promise<string | null>;

  // ── Sessions ───────────────────────────────────────────────────────────────────────────────────────────
  /** Restores the workload and ends. Returns at once; frames tell. */
  stopSession(id: string): Promise<void>;
  /** Connects again after `lapsed`. */
  reconnectSession(id: string): Promise<void>;
  /** Takes an ended session off the list. */
  dismissSession(id: string): Promise<void>;
  startProgram(id: string): Promise<void>;
  stopProgram(id: string): Promise<void>;
  restartProgram(id: string): Promise<void>;
  /** The processes of the session's program, and how a debugger is attached to each. */
  debuggees(id: string): Promise<Debuggees>;
  /** The variables by name, secrets masked. Empty before the session is connected. */
  environment(id: string): Promise<Variable[]>;
  /** The value of one secret variable: the user asked for it. */
  reveal(id: string, name: string): Promise<string>;
  /** Puts the environment, secrets included, on the clipboard. */
  copyEnvironment(id: string, format: EnvironmentFormat): Promise<void>;
  /** Open connections and the last 500 closed ones, the newest first. */
  connections(id: string): Promise<Connection[]>;
  /** Tries whether the service behind a listener takes a connection. */
  testListener(id: string, namespace: string, service: string, port: number): Promise<ListenerTest>;
  /** The session's events from number `from` on (the first is 1), at most `limit`. */
  events(id: string, from: number, limit: number): Promise<SessionEvent[]>;

  // ── Volumes of a session, named by their mount path ────────────────────────────────────────────────────
  /** Counts files and bytes in the cluster. */
  measureVolume(id: string, volume: string): Promise<VolumeSize>;
  /** What a directory of the volume has; the top is the empty string. */
  listVolume(id: string, volume: string, directory: string): Promise<VolumeListing>;
  /** Begins to copy these paths of the volume to this machine. Returns at once; frames tell. */
  fetchVolume(id: string, volume: string, paths: string[]): Promise<void>;
  /** Ends a copy that is under way; what has come stays. */
  cancelFetch(id: string, volume: string): Promise<void>;
  /** Takes the volume’s files from this pod from now on. */
  chooseVolumePod(id: string, volume: string, pod: string): Promise<void>;
  /** Writes these files of this machine back to the volume. Those that were changed in the cluster since are told, unless they are to be overwritten. */
  writeBack(
    id: string,
    volume: string,
    paths: string[],
    ifChanged: IfChanged,
  ): Promise<WriteOutcome>;
  /** Files of this machine's copy that are not as they came, by path. */
  changedFiles(id: string, volume: string): Promise<string[]>;
  /** Shows this machine's copy in the system's file manager. */
  openVolume(id: string, volume: string): Promise<void>;

  // ── Logs ───────────────────────────────────────────────────────────────────────────────────────────────
  logs(query: LogQuery): Promise<LogPage>;
  /** Begins to follow the logs of pods; gives the log's id for `logs` and `closePodLog`. */
  openPodLog(query: PodLogQuery): Promise<string>;
  closePodLog(log: string): Promise<void>;
  /** Asks for a file with the system's dialog and writes the lines that the query shows; gives the path, null: cancelled. */
  exportLog(query: LogQuery): Promise<string | null>;

  // ── Diagnosis ──────────────────────────────────────────────────────────────────────────────────────────
  /** Runs the checks of this machine and of the clusters that are connected. */
  diagnose(): Promise<DiagnosticCheck[]>;
  /** The redacted report, for an issue. */
  diagnosticReport(): Promise<string>;
  /** Restores what a leftover session changed. */
  repair(leftover: string): Promise<Repaired>;
  /** Takes lines of the hosts file out that sessions have left which are no more: asks for administrator rights. */
  repairHosts(): Promise<Repaired>;
  /** Shows the log files in the system's file manager. */
  openLogDirectory(): Promise<void>;

  // ── The rest ───────────────────────────────────────────────────────────────────────────────────────────
  savePreferences(preferences: Preferences): Promise<void>;
  /** Puts text on the clipboard. */
  copy(text: string): Promise<void>;
  /** Stops every session and quits; the answer to `quitRequested`. */
  quit(): Promise<void>;
}
