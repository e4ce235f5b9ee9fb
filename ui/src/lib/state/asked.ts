import { app, type Asked } from './app.svelte';
import { router } from './router.svelte';
import { shell } from './shell.svelte';
import { toasts } from './toasts.svelte';

/** What the application asks of the window: a message, a place to show, the question before it quits. */
export const asked: Asked = {
  notice({ tone, title, message, session }) {
    // The session's own page says it already.
    if (session && router.at.screen === 'session' && router.at.id === session) return;
    toasts.show({
      tone,
      word: title,
      text: message,
      action: session
        ? { label: 'Open', run: () => router.go({ screen: 'session', id: session }) }
        : undefined,
    });
  },

  navigate(to) {
    switch (to.place) {
      case 'clusters':
        return router.go({ screen: 'clusters' });
      case 'session':
        return router.go({ screen: 'session', id: to.id });
      case 'diagnostics':
        return router.go({ screen: 'diagnostics' });
      case 'settings':
        return router.go({ screen: 'settings' });
      case 'profile': {
        const profile = app.profiles.find(({ id }) => id === to.id);
        if (profile) router.go({ screen: 'launcher', request: profile.request });
      }
    }
  },

  quit(stops) {
    shell.quitting = stops;
  },
};
