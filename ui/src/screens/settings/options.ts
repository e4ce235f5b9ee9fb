import type { LogLevel, Mode, Theme } from '$lib/backend/types';

export const LEVELS: { value: LogLevel; label: string; note?: string }[] = [
  { value: 'error', label: 'Errors' },
  { value: 'warn', label: 'Warnings' },
  { value: 'info', label: 'Information', note: 'usual' },
  { value: 'debug', label: 'Debug' },
  { value: 'trace', label: 'Trace', note: 'a lot' },
];

export const THEMES: { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export const MODES: { value: Mode; label: string }[] = [
  { value: 'hostsFile', label: 'By their names (hosts file)' },
  { value: 'noAdministrator', label: 'Without administrator rights' },
];
