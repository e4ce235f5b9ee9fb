import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { ORIGIN, OUT } from './tests/serve';

/** Debian's browser, the one without a window where it is installed; nothing is downloaded. */
const executablePath =
  process.env.TOWLINE_CHROMIUM ??
  ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path));

export default defineConfig({
  testDir: './tests',
  globalSetup: './tests/build.ts',
  outputDir: `./test-results/${OUT}`,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  workers: 2,
  // Generous, since the machine may be building at the same time; a test takes 1 to 5 s of its own.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    baseURL: ORIGIN,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    contextOptions: { reducedMotion: 'reduce' },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
