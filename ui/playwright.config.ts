import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** Debian's browser, the one without a window where it is installed; nothing is downloaded. */
const executablePath =
  process.env.TOWLINE_CHROMIUM ??
  ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path));

/** Another one lets two runs stand side by side. */
const port = Number(process.env.TOWLINE_UI_PORT ?? 4173);

export default defineConfig({
  testDir: './tests',
  outputDir: `./test-results/run-${port}`,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  workers: 2,
  // Generous, since the machine may be building at the same time; a test takes 1 to 5 s of its own.
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
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
  webServer: {
    command: `npx vite build --mode fake --outDir dist-fake/${port} && npx vite preview --host 127.0.0.1 --outDir dist-fake/${port}`,
    url: `http://127.0.0.1:${port}`,
    reuseExistingServer: false,
    timeout: 90_000,
  },
});
