/** What the first paint does not need. Each is in a file of its own, and read once. */
export const later = {
  cluster: () => import('$screens/clusters/ClusterScreen.svelte'),
  launcher: () => import('$screens/launcher/LauncherScreen.svelte'),
  session: () => import('$screens/session/SessionScreen.svelte'),
  podLog: () => import('$screens/logs/PodLogScreen.svelte'),
  diagnostics: () => import('$screens/diagnostics/DiagnosticsScreen.svelte'),
  settings: () => import('$screens/settings/SettingsScreen.svelte'),
  palette: () => import('./CommandPalette.svelte'),
  leftovers: () => import('./LeftoversDialog.svelte'),
  quit: () => import('./QuitDialog.svelte'),
};

/** Reads them once the window is shown, so that nobody waits for one. */
export function preload(): void {
  // One that cannot be read is asked for again by who goes there.
  for (const read of Object.values(later)) void read().catch(() => undefined);
}
