import { backend } from '$lib/backend';
import { app } from '$lib/state/app.svelte';
import { router } from '$lib/state/router.svelte';
import { toasts } from '$lib/state/toasts.svelte';

/** Shows a context's cluster. Contacts nothing. */
export function show(context: string): void {
  router.go({ screen: 'clusters', context });
}

/** The user picked it: only now may its cluster be contacted and its plugin run. */
export async function connect(context: string): Promise<void> {
  try {
    await backend.connectCluster(context, app.cluster(context)?.watched ?? []);
  } catch (thrown) {
    toasts.failed(thrown, () => void connect(context));
  }
}

export async function disconnect(context: string): Promise<void> {
  try {
    await backend.disconnectCluster(context);
  } catch (thrown) {
    toasts.failed(thrown, () => void disconnect(context));
  }
}

export async function watch(context: string, namespaces: string[]): Promise<void> {
  try {
    await backend.watchNamespaces(context, namespaces);
  } catch (thrown) {
    toasts.failed(thrown, () => void watch(context, namespaces));
  }
}
