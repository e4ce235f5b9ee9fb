/**
 * The marks by which tests find things: the browser tests here, and the desktop tests by WebDriver
 * (`[data-testid="…"]`). A mark never changes its meaning; what it marks may move.
 *
 * Where several elements carry the same mark, a second attribute tells them apart, named beside it.
 */
export const testids = {
  // Sidebar
  navClusters: 'nav-clusters',
  navDiagnostics: 'nav-diagnostics',
  navSettings: 'nav-settings',
  /** A session; `data-session` is its id, `data-state` its phase. */
  navSession: 'nav-session',
  /** A picked cluster; `data-context` is its context. */
  navCluster: 'nav-cluster',
  paletteOpen: 'palette-open',

  // Footer; `data-state` of the connection is the cluster's phase, or `none`
  footConnection: 'foot-connection',
  footUpdated: 'foot-updated',
  footHelper: 'foot-helper',

  // Clusters
  /** A context in the list; `data-context`. */
  contextRow: 'context-row',
  /** Connects the context; `data-context`. */
  contextConnect: 'context-connect',
  brokenFile: 'broken-file',
  noContexts: 'no-contexts',
  recentProfile: 'recent-profile',

  // A cluster; its screen carries `data-state`: none, connecting, connected, unreachable, failed
  cluster: 'cluster',
  clusterConnect: 'cluster-connect',
  clusterDisconnect: 'cluster-disconnect',
  clusterRetry: 'cluster-retry',
  clusterCancel: 'cluster-cancel',
  pluginSaid: 'plugin-said',
  contextPicker: 'context-picker',
  namespacePicker: 'namespace-picker',
  /** A choice in the open picker; `data-value`. */
  pickerItem: 'picker-item',
  pickerSearch: 'picker-search',
  namespaceInput: 'namespace-input',
  namespaceWatch: 'namespace-watch',
  filter: 'filter',
  filterClear: 'filter-clear',
  tabServices: 'tab-services',
  tabWorkloads: 'tab-workloads',
  tabPods: 'tab-pods',
  /** The table; `data-state`: loading, live, stale, forbidden. */
  table: 'table',
  tableForbidden: 'table-forbidden',
  tableEmpty: 'table-empty',
  staleBanner: 'stale-banner',
  /** A row; `data-key` is namespace/kind/name, `data-name` its name. */
  row: 'row',
  rowRedirect: 'row-redirect',
  rowLogs: 'row-logs',
  rowCopy: 'row-copy',

  // Launcher
  launcher: 'launcher',
  launchTarget: 'launch-target',
  launchNamespace: 'launch-namespace',
  launchContainer: 'launch-container',
  /** The local port for a container's port; `data-remote`. */
  launchPort: 'launch-port',
  launchProgram: 'launch-program',
  launchByUser: 'launch-program-byUser',
  launchByCommand: 'launch-program-command',
  launchCommand: 'launch-command',
  launchDirectory: 'launch-directory',
  launchBrowse: 'launch-browse',
  launchMode: 'launch-mode',
  launchHostsFile: 'launch-mode-hostsFile',
  launchNoAdministrator: 'launch-mode-noAdministrator',
  /** A line of the hosts file; `data-address`. */
  launchHostsLine: 'launch-hosts-line',
  /** A port that somebody else has; `data-port`. */
  launchTaken: 'launch-taken',
  launchStopHolder: 'launch-stop-holder',
  launchSkip: 'launch-skip',
  launchFiles: 'launch-files',
  launchNotGranted: 'launch-not-granted',
  launchWithoutRights: 'launch-without-rights',
  rightsDialog: 'rights-dialog',
  rightsConfirm: 'rights-confirm',
  rightsWithout: 'rights-without',
  stopDialog: 'stop-dialog',
  stopConfirm: 'stop-confirm',
  stopLook: 'stop-look',
  stopKill: 'stop-kill',
  launchOptions: 'launch-options',
  launchNamespaces: 'launch-namespaces',
  launchAgentImage: 'launch-agent-image',
  launchPullSecret: 'launch-pull-secret',
  launchLease: 'launch-lease',
  /** What is typed for a host outside the cluster. */
  launchHost: 'launch-host',
  launchHostAdd: 'launch-host-add',
  /** A host outside the cluster; `data-name`. */
  launchHostRow: 'launch-host-row',
  /** The menu of the project file. */
  launchProject: 'launch-project',
  /** The project file in use; `data-state`: reading, read, failed. */
  launchProjectStrip: 'launch-project-strip',
  /** A file that was found in the working directory: uses it. */
  launchProjectFound: 'launch-project-found',
  launchReconnect: 'launch-reconnect',
  /** Whether to do without names that another session has. */
  launchWithoutNames: 'launch-without-names',
  /** Beside the check that such names forbid to connect: does without them. */
  launchGoWithout: 'launch-go-without',
  /** Beside the warning that the session does without them: refuses again. */
  launchRefuseNames: 'launch-refuse-names',
  launchTakeOver: 'launch-take-over',
  launchProfiles: 'launch-profiles',
  /** The review; `data-state`: incomplete, reading, ready, blocked, failed. */
  launchReview: 'launch-review',
  /** A check; `data-tone`, `data-code`. */
  launchCheck: 'launch-check',
  launchField: 'launch-field',
  launchObject: 'launch-object',
  launchReadAgain: 'launch-read-again',
  launchCommandLine: 'launch-command-line',
  launchConnect: 'launch-connect',
  launchFailed: 'launch-failed',
  launchBack: 'launch-back',

  // Over everything
  palette: 'palette',
  paletteInput: 'palette-input',
  paletteItem: 'palette-item',
  quitDialog: 'quit-dialog',
  quitConfirm: 'quit-confirm',
  quitCancel: 'quit-cancel',
  leftoversBanner: 'leftovers-banner',
  leftoversShow: 'leftovers-show',
  /** Repairs one leftover; `data-leftover` is its id. */
  leftoverRepair: 'leftover-repair',
  /** A message in the corner; `data-tone`. */
  toast: 'toast',
} as const;
