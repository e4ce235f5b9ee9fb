import { backend } from '$lib/backend';
import type { LaunchRequest } from '$lib/backend/types';
import { app } from '$lib/state/app.svelte';
import { requestFor } from '$lib/state/launch';
import { router } from '$lib/state/router.svelte';
import { toasts } from '$lib/state/toasts.svelte';

/** Asks for a project file, and opens the launcher with what it says. */
export async function openProjectFile(): Promise<void> {
  try {
    const file = await backend.chooseFile(null);
    if (file === null) return;
    router.go({ screen: 'launcher', request: await filled(file) });
  } catch (thrown) {
    toasts.failed(thrown, () => void openProjectFile());
  }
}

/** A file that cannot be used opens the launcher too: that says where it is wrong. */
async function filled(file: string): Promise<LaunchRequest> {
  const form = blank();
  try {
    return (await backend.readProject(file, form)).request;
  } catch {
    return { ...form, project: file };
  }
}

/** In the cluster that one is in, else the first that is connected, else the kubeconfig’s own choice. */
function blank(): LaunchRequest {
  const { at } = router;
  const here = at.screen === 'clusters' ? at.context : undefined;
  const { contexts } = app.contexts;
  const context =
    here ?? app.clusters[0]?.context ?? contexts.find(({ current }) => current)?.name ?? '';
  const namespace =
    app.cluster(context)?.watched[0] ??
    contexts.find(({ name }) => name === context)?.namespace ??
    '';
  return requestFor(context, { namespace, target: '' }, [], app.preferences);
}
