import { backend } from '$lib/backend';
import type { Row } from '$lib/backend/types';
import { app } from '$lib/state/app.svelte';
import { requestFor } from '$lib/state/launch';
import { router } from '$lib/state/router.svelte';
import { toasts } from '$lib/state/toasts.svelte';

/** Does what a key stands for on a row; false: nothing. */
export function actOn(context: string, row: Row, key: string): boolean {
  switch (key.toLowerCase()) {
    case 'r':
    case 'enter':
      redirect(context, row);
      return true;
    case 'l':
      logs(context, row);
      return true;
    case 'c':
      void copy(row.name);
      return true;
    default:
      return false;
  }
}

/** Opens the launcher; the session's own page where this application has one on it. */
export function redirect(context: string, row: Row): void {
  if (row.session?.mine && app.session(row.session.id)) {
    return router.go({ screen: 'session', id: row.session.id });
  }
  if (row.target === null) {
    const text = row.whyNot ?? `${row.name} cannot be redirected.`;
    return toasts.show({ tone: 'warning', word: 'Not possible', text });
  }
  const request = requestFor(context, row, app.profiles, app.preferences);
  router.go({ screen: 'launcher', request });
}

export function logs(context: string, row: Row): void {
  if (row.target === null) {
    const text = row.whyNot ?? `${row.name} has no pods.`;
    return toasts.show({ tone: 'warning', word: 'No logs', text });
  }
  router.go({
    screen: 'podLog',
    title: row.name,
    query: { context, namespace: row.namespace, target: row.target, container: null },
  });
}

async function copy(text: string): Promise<void> {
  try {
    await backend.copy(text);
    toasts.done(`${text} is on the clipboard.`);
  } catch (thrown) {
    toasts.failed(thrown, () => void copy(text));
  }
}
