import Activity from '@lucide/svelte/icons/activity';
import Bookmark from '@lucide/svelte/icons/bookmark';
import Box from '@lucide/svelte/icons/box';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import FileCode from '@lucide/svelte/icons/file-code';
import Moon from '@lucide/svelte/icons/moon';
import Power from '@lucide/svelte/icons/power';
import Server from '@lucide/svelte/icons/server';
import Settings from '@lucide/svelte/icons/settings';
import type { Component } from 'svelte';
import { backend, type Backend } from '$lib/backend';
import type { Theme } from '$lib/backend/types';
import type { StatusTone } from '$lib/components/tone';
import { app } from '$lib/state/app.svelte';
import { clusterStatus, isOpen, sessionStatus } from '$lib/state/phases';
import { router } from '$lib/state/router.svelte';
import { shell } from '$lib/state/shell.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import { redirect } from '$screens/clusters/actions';
import { openProjectFile } from './openProjectFile';

export interface Command {
  /** Unique. */
  id: string;
  group: string;
  label: string;
  note?: string;
  /** Other words by which it is found. */
  words?: string[];
  icon: Component<{ size?: number }>;
  /** Shown in the icon's place. */
  status?: { tone: StatusTone; word: string };
  run: () => void;
}

/** How many services of a cluster are offered. */
const OFFERED = 6;

/** All that can be done from anywhere. */
export function commands(): Command[] {
  return [...sessions(), ...profiles(), ...clusters(), ...places(), ...general()];
}

function sessions(): Command[] {
  return app.sessions.flatMap((session) => {
    const { id, title, workload } = session;
    const open: Command = {
      id: `session ${id}`,
      group: 'Sessions',
      label: title,
      note: session.request.namespace,
      words: [workload, session.request.context],
      icon: Box,
      status: sessionStatus(session),
      run: () => router.go({ screen: 'session', id }),
    };
    if (!isOpen(session)) return [open];
    const stop: Command = {
      id: `stop ${id}`,
      group: 'Sessions',
      label: `Stop ${title}`,
      note: session.request.namespace,
      icon: CircleStop,
      run: () => void attempt(() => backend.stopSession(id)),
    };
    return [open, stop];
  });
}

function profiles(): Command[] {
  return app.profiles.map(({ id, name, request }) => ({
    id: `profile ${id}`,
    group: 'Launch again',
    label: name,
    note: request.context,
    words: [request.target, request.namespace],
    icon: Bookmark,
    run: () => router.go({ screen: 'launcher', request }),
  }));
}

function clusters(): Command[] {
  return app.contexts.contexts.map(({ name }) => ({
    id: `context ${name}`,
    group: 'Clusters',
    label: name,
    note: clusterStatus(app.cluster(name)).word,
    icon: Server,
    status: clusterStatus(app.cluster(name)),
    run: () => router.go({ screen: 'clusters', context: name }),
  }));
}

function places(): Command[] {
  const group = 'Go to';
  return [
    {
      id: 'go clusters',
      group,
      label: 'Clusters',
      icon: Server,
      run: () => router.go({ screen: 'clusters' }),
    },
    {
      id: 'go diagnostics',
      group,
      label: 'Diagnostics',
      words: ['health', 'checks', 'report'],
      icon: Activity,
      run: () => router.go({ screen: 'diagnostics' }),
    },
    {
      id: 'go settings',
      group,
      label: 'Settings',
      words: ['preferences', 'kubeconfig', 'agent image'],
      icon: Settings,
      run: () => router.go({ screen: 'settings' }),
    },
  ];
}

function general(): Command[] {
  const group = 'Commands';
  const open = app.sessions.filter(isOpen);
  const stopAll: Command = {
    id: 'stop all',
    group,
    label: 'Stop all sessions',
    icon: CircleStop,
    run: () => {
      for (const { id } of open) void attempt(() => backend.stopSession(id));
    },
  };
  return [
    ...(open.length > 1 ? [stopAll] : []),
    {
      id: 'project file',
      group,
      label: 'Use a project file…',
      words: ['towline.yaml', 'launch', 'bridge'],
      icon: FileCode,
      run: () => void openProjectFile(),
    },
    ...themes(group),
    {
      id: 'quit',
      group,
      label: 'Quit Towline',
      icon: Power,
      run: () => {
        shell.quitting = open.map(({ title, request }) => `${title} (${request.namespace})`);
      },
    },
  ];
}

function themes(group: string): Command[] {
  const { preferences } = app;
  if (!preferences) return [];
  const names: Record<Theme, string> = {
    system: 'Theme as the system',
    light: 'Light theme',
    dark: 'Dark theme',
  };
  return (Object.keys(names) as Theme[])
    .filter((theme) => theme !== preferences.theme)
    .map((theme) => ({
      id: `theme ${theme}`,
      group,
      label: names[theme],
      icon: Moon,
      run: () => void attempt(() => backend.savePreferences({ ...preferences, theme })),
    }));
}

async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (thrown) {
    toasts.failed(thrown, () => void attempt(action));
  }
}

/** The services of connected clusters that fit the words. */
export async function findServices(from: Backend, words: string): Promise<Command[]> {
  // Their commands are called “Redirect …”.
  const filter = words.replace(/^redirect\s+/i, '').trim();
  const connected = app.clusters.filter(({ phase }) => phase.phase === 'connected');
  const pages = await Promise.allSettled(
    connected.map(async ({ context }) => {
      const page = await from.rows({
        context,
        table: 'services',
        filter,
        sort: 'name',
        descending: false,
        offset: 0,
        limit: OFFERED,
      });
      return page.rows
        .filter((row) => row.target !== null)
        .map((row) => ({
          id: `redirect ${context} ${row.key}`,
          group: 'Services',
          label: `Redirect ${row.name}`,
          note: `${row.namespace}, ${context}`,
          words: [filter, row.namespace],
          icon: Box,
          run: () => redirect(context, row),
        }));
    }),
  );
  return pages.flatMap((page) => (page.status === 'fulfilled' ? page.value : []));
}
