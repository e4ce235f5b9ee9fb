import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { BrowserContext } from '@playwright/test';

/** Another name lets two runs stand side by side. */
export const OUT = `dist-fake/${process.env.TOWLINE_UI_RUN ?? 'run'}`;

/** The page's address. Nothing listens there: {@link serve} answers. */
export const ORIGIN = 'http://localhost';

/** What Tauri's window enforces, so that the tests fail on what the window would refuse. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
].join('; ');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/**
 * Answers every request of the browser from the files that were built. No socket is opened: Chromium drops its connections, those to this machine too,
 * whenever an interface comes or goes (`net::ERR_NETWORK_CHANGED`), as other tests on the same machine make them do.
 */
export async function serve(context: BrowserContext): Promise<void> {
  await context.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = pathname === '/' ? '/index.html' : pathname;
    const body = await readFile(join(OUT, name)).catch(() => null);
    if (body === null) return route.fulfill({ status: 404, body: `no file ${name}` });
    const headers = { 'Content-Security-Policy': contentSecurityPolicy };
    return route.fulfill({ body, headers, contentType: TYPES[extname(name)] });
  });
}
