/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig, type Plugin } from 'vite';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** bits-ui has a few style attributes in its markup, which the policy refuses; a class does the same. */
const withoutStyleAttributes: Plugin = {
  name: 'towline:without-style-attributes',
  enforce: 'pre',
  transform(code, id) {
    if (!/bits-ui\/dist\/.*\.svelte$/.test(id)) return null;
    return code.replaceAll('style="display: contents;"', 'class="contents"');
  },
};

export default defineConfig({
  plugins: [withoutStyleAttributes, svelte(), svelteTesting({ autoCleanup: false })],
  resolve: { alias: { $lib: source('lib'), $screens: source('screens') } },
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  build: {
    // WebKitGTK 2.40 and later.
    target: ['es2022', 'safari16.4'],
    cssTarget: 'safari16.4',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: {
    // A test that needs a document says so at its top: `@vitest-environment jsdom`.
    environment: 'node',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
    maxWorkers: 2,
  },
});
