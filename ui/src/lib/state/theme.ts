import type { Theme } from '$lib/backend/types';

/** Shows the theme; `system` leaves the choice to the system. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
