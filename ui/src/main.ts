import { mount } from 'svelte';
import './lib/styles/base.css';
import App from './App.svelte';
import { install, type Backend } from './lib/backend';

/** The application's backend in its window; in a browser, where the build has it, the fake. */
async function choose(): Promise<Backend> {
  if ('__TAURI_INTERNALS__' in window) return (await import('./lib/backend/tauri')).tauri;
  if (import.meta.env.DEV || import.meta.env.MODE === 'fake') {
    const { createFake } = await import('./lib/backend/fake');
    const fake = createFake(new URLSearchParams(location.search).get('scenario') ?? 'connected');
    // For the browser tests: what reached the clipboard, and changes that they make from outside.
    Object.assign(window, { towlineFake: fake });
    return fake;
  }
  throw new Error(
    'This page is the window of the Towline application and shows nothing elsewhere.',
  );
}

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
install(await choose());
mount(App, { target });
