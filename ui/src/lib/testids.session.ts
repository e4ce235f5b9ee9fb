/** The marks of the session's, log's, diagnostics' and settings' screens; see testids.ts for the rules. */
export const sessionTestids = {
  // Session; `data-state` is its phase, `data-session` its id
  session: 'session',
  /** The state in a word. */
  sessionState: 'session-state',
  sessionUptime: 'session-uptime',
  sessionStop: 'session-stop',
  sessionReconnect: 'session-reconnect',
  sessionEnd: 'session-end',
  sessionDismiss: 'session-dismiss',
  sessionAgain: 'session-again',
  sessionEnding: 'session-ending',
  sessionAttention: 'session-attention',
  sessionReconnecting: 'session-reconnecting',
  sessionLapsed: 'session-lapsed',
  sessionProblem: 'session-problem',
  /** A step of connecting or restoring; `data-step`, `data-done`. */
  step: 'step',
  figures: 'figures',
  silentPort: 'silent-port',

  // Program; `data-state` of the bar is byUser, waiting, running, ending, exited, failed
  program: 'program',
  programStart: 'program-start',
  programStop: 'program-stop',
  programRestart: 'program-restart',

  // Attaching a debugger
  debug: 'debug',
  debugDialog: 'debug-dialog',
  /** A process; `data-pid`, `data-runtime`. */
  debuggee: 'debuggee',
  /** `data-tool`. */
  attachWay: 'attach-way',
  debugNone: 'debug-none',
  debugHindrance: 'debug-hindrance',
  debugOthers: 'debug-others',
  debugAgain: 'debug-again',
  debugClose: 'debug-close',

  // Tabs
  tabTraffic: 'tab-traffic',
  tabDns: 'tab-dns',
  tabEnvironment: 'tab-environment',
  tabVolumes: 'tab-volumes',
  tabLogs: 'tab-logs',
  tabEvents: 'tab-events',

  /** The filter; `traffic-all`, `traffic-in`, `traffic-out`, `traffic-failed`. */
  traffic: 'traffic',
  /** A connection. */
  connection: 'connection',
  /** A listener; `data-service`, `data-port`. */
  listener: 'listener',
  listenerTest: 'listener-test',
  /** What the test found; `data-reached`. */
  listenerResult: 'listener-result',
  environmentFilter: 'environment-filter',
  environmentCopy: 'environment-copy',
  /** A variable; `data-name`, `data-origin`. */
  variable: 'variable',
  variableValue: 'variable-value',
  variableReveal: 'variable-reveal',
  /** A volume; `data-path` is its mount path, `data-state` its state. */
  volume: 'volume',
  volumeState: 'volume-state',
  volumeSize: 'volume-size',
  volumeMeasure: 'volume-measure',
  volumeFetch: 'volume-fetch',
  volumeCancel: 'volume-cancel',
  volumeWrite: 'volume-write',
  volumeOpen: 'volume-open',
  /** The pod whose files a volume’s are. */
  volumePod: 'volume-pod',
  volumePicker: 'volume-picker',
  volumeChoosePod: 'volume-choose-pod',
  /** An entry in the picker; `data-name`. */
  volumeEntry: 'volume-entry',
  volumeEnter: 'volume-enter',
  volumeFetchAll: 'volume-fetch-all',
  volumeFetchChosen: 'volume-fetch-chosen',
  writeDialog: 'write-dialog',
  /** A changed file; `data-path`. */
  writeFile: 'write-file',
  writeConfirm: 'write-confirm',
  /** A file that was not written; `data-path`. */
  writeConflict: 'write-conflict',
  writeOverwrite: 'write-overwrite',
  /** An event; `data-seq`. */
  event: 'event',

  // Logs
  podLog: 'pod-log',
  logViewer: 'log-viewer',
  logLines: 'log-lines',
  /** A line's text. */
  logText: 'log-text',
  logSearch: 'log-search',
  logMatches: 'log-matches',
  logOnlyMatches: 'log-only-matches',
  logSources: 'log-sources',
  logFollow: 'log-follow',
  logNews: 'log-news',
  logShown: 'log-shown',
  logExport: 'log-export',
  logProblem: 'log-problem',

  // Diagnostics
  diagnostics: 'diagnostics',
  diagnosticsRun: 'diagnostics-run',
  diagnosticsCopy: 'diagnostics-copy',
  diagnosticsLogs: 'diagnostics-logs',
  diagnosticsProblem: 'diagnostics-problem',
  /** A check; `data-check` is its id, `data-tone`. */
  check: 'check',
  checkAction: 'check-action',
  /** A leftover; `data-leftover` is its id. */
  leftover: 'leftover',
  leftoverRepair: 'leftover-repair',

  // Settings
  settings: 'settings',
  settingsSave: 'settings-save',
  settingsRevert: 'settings-revert',
  settingsState: 'settings-state',
  settingsProblem: 'settings-problem',
  settingsFailed: 'settings-failed',
  leaseSeconds: 'lease-seconds',
  kubeconfigAdd: 'kubeconfig-add',
  /** A kubeconfig file; `data-file`. */
  kubeconfigFile: 'kubeconfig-file',
} as const;
