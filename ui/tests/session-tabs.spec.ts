import type { Page } from '@playwright/test';
import { changeSession, copied, openSession } from './session.support';
import { expect, look, test } from './support';

test.describe('traffic', () => {
  test('filters, and draws only what is in sight', async ({ page }) => {
    await openSession(page, 'session-traffic');
    const table = page.getByRole('table', { name: 'Connections' });
    await expect(table).toHaveAttribute('aria-rowcount', '504');
    await expect(page.getByTestId('connection').first()).toBeVisible();
    expect(await page.getByTestId('connection').count()).toBeLessThan(60);
    await page.getByRole('radio', { name: 'Failed' }).click();
    await expect(page.getByTestId('connection').first()).toContainText('connection refused');
    await page.getByRole('radio', { name: 'From this machine' }).click();
    await expect(page.getByTestId('connection').first()).toContainText('this machine');
  });

  test('by keyboard: the rows are scrolled', async ({ page }) => {
    await openSession(page, 'session-traffic');
    await expect(page.getByTestId('connection').first()).toBeVisible();
    await page.getByRole('rowgroup', { name: 'Connections, the newest first' }).focus();
    await page.keyboard.press('End');
    await expect(page.locator('[aria-rowindex="504"]')).toBeVisible();
  });

  test('nothing yet', async ({ page }) => {
    await openSession(page, 'session-quiet', 'traffic');
    await expect(page.getByText('No connections yet')).toBeVisible();
  });
});

test.describe('DNS', () => {
  test('names, addresses, use, and a test of each', async ({ page }) => {
    await openSession(page, 'session', 'dns');
    const redis = page.locator('[data-testid=listener][data-service=redis]');
    await expect(redis).toContainText('redis.shop');
    await expect(redis).toContainText('6379');
    await expect(redis).toContainText('127.0.0.1:40006');
    await expect(redis).toContainText('246');
    await redis.getByTestId('listener-test').click();
    await expect(page.getByTestId('listener-result')).toContainText(
      'redis.shop:6379 takes connections',
    );
    await page.getByRole('button', { name: 'Test all' }).click();
    await expect(page.getByTestId('listener-result')).toHaveCount(6);
    await expect(page.locator('[data-reached=false]')).toContainText('timed out after 3 s');
    await look(page, 'session-dns');
  });

  test('UDP ports are told as such, and cannot be tested', async ({ page }) => {
    await openSession(page, 'session-udp', 'dns');
    const statsd = page.locator('[data-testid=listener][data-service=statsd]');
    await expect(statsd).toContainText('8125/UDP');
    await expect(statsd.getByTestId('listener-test')).toHaveCount(0);
    await page.getByRole('button', { name: 'Test all' }).click();
    await expect(page.getByTestId('listener-result')).toHaveCount(5);
    await expect(page.getByTestId('silent-port')).toContainText(
      '127.0.0.1:5353 takes no datagrams (connection refused).',
    );
    await look(page, 'session-dns-udp');
  });

  test('in the mode with the hosts file, by all their names', async ({ page }) => {
    await openSession(page, 'session-hosts', 'dns');
    const redis = page.locator('[data-testid=listener][data-service=redis]');
    await expect(redis).toContainText(
      'redis redis.shop redis.shop.svc redis.shop.svc.cluster.local',
    );
    await expect(redis).toContainText('127.77.25.39:6379');
    await redis.getByRole('button', { name: /Copy address/ }).click();
    await expect.poll(() => copied(page)).toBe('redis:6379');
    await look(page, 'session-dns-names');
  });

  test('a service that comes and one that goes', async ({ page }) => {
    await openSession(page, 'session', 'dns');
    await expect(page.getByTestId('listener')).toHaveCount(6);
    await changeSession(page, { listeners: [] });
    await expect(page.getByText('No services')).toBeVisible();
  });
});

test.describe('environment', () => {
  test('values, origins, what was changed, what differs here', async ({ page }) => {
    await openSession(page, 'session', 'environment');
    const row = (name: string) => page.locator(`[data-testid=variable][data-name=${name}]`);
    await expect(row('GATEWAY_SERVICE_HOST')).toContainText('127.0.0.1');
    await expect(row('GATEWAY_SERVICE_HOST')).toContainText('in the cluster 10.96.1.10');
    await expect(row('EMPTY')).toContainText('empty');
    await expect(row('CURRENCY')).toContainText('config map orders-settings, key currency');
    await expect(row('CURRENCY')).toContainText('same');
    await look(page, 'session-environment');
  });

  test('several lines and blanks at the ends are shown as they are', async ({ page }) => {
    await openSession(page, 'session', 'environment');
    await page.getByTestId('environment-filter').fill('greeting');
    await expect(page.getByTestId('variable-value')).toHaveText(
      'Dear customer,\n\n  thank you for your order.↵',
      { useInnerText: true },
    );
    await page.getByTestId('environment-filter').fill('LEADING');
    await expect(page.getByTestId('variable-value')).toHaveText('··spaces··');
  });

  test('secrets are masked until they are asked for, each by itself', async ({ page }) => {
    await openSession(page, 'session', 'environment');
    await page.getByRole('radio', { name: 'Secrets' }).click();
    await expect(page.getByTestId('variable')).toHaveCount(3);
    await expect(page.getByText('sesame')).toHaveCount(0);
    await page.getByRole('button', { name: 'Reveal REDIS_PASSWORD' }).click();
    await expect(page.locator('[data-name=REDIS_PASSWORD]')).toContainText('sesame');
    await expect(page.locator('[data-name=PAYMENT_TOKEN]')).toContainText('••••');
    await page.mouse.move(0, 0);
    await expect(page.getByText('Hide REDIS_PASSWORD')).toHaveCount(0);
    await look(page, 'session-secrets');
    // By keyboard: the button stays where it is.
    await page.getByRole('button', { name: 'Hide REDIS_PASSWORD' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Reveal REDIS_PASSWORD' })).toBeFocused();
    await expect(page.getByText('sesame')).toHaveCount(0);
  });

  test('is copied in every form', async ({ page }) => {
    await openSession(page, 'session', 'environment');
    for (const [format, label] of [
      ['dotenv', '.env file'],
      ['shell', 'Shell (export)'],
      ['powerShell', 'PowerShell'],
      ['docker', 'docker run'],
      ['launchJson', 'launch.json'],
    ] as const) {
      await page.getByTestId('environment-copy').click();
      await page.getByRole('menuitem', { name: label }).click();
      await expect.poll(() => copied(page)).toBe(`environment as ${format}`);
    }
    await expect(page.getByTestId('toast').last()).toContainText('secrets included');
  });

  test('what cannot be read says why, and is read again', async ({ page }) => {
    await openSession(page, 'environment-fails', 'environment');
    await expect(page.getByRole('alert')).toContainText('the agent does not answer');
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
  });

  test('by keyboard: / filters, Escape takes it back', async ({ page }) => {
    await openSession(page, 'session', 'environment');
    await expect(page.getByTestId('variable').first()).toBeVisible();
    await page.keyboard.press('/');
    await expect(page.getByTestId('environment-filter')).toBeFocused();
    await page.keyboard.type('nothing like it');
    await expect(page.getByText('No variable fits')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('variable').first()).toBeVisible();
  });
});

test.describe('volumes', () => {
  const volume = (page: Page, path: string) =>
    page.locator(`[data-testid=volume][data-path="${path}"]`);

  test('what is mounted, how fresh it is, and where it is here', async ({ page }) => {
    await openSession(page, 'session', 'volumes');
    await expect(page.getByTestId('volume')).toHaveCount(6);
    const settings = volume(page, '/etc/orders');
    await expect(settings).toContainText('As in the pod, since 14 min ago');
    await settings.getByRole('button', { name: /Copy path/ }).click();
    expect(await copied(page)).toBe('/run/user/1000/towline/4c19e7/root/etc/orders');
    await expect(volume(page, '/var/lib/orders')).toContainText('claim, writable');
    await look(page, 'session-volumes');
  });

  test('one on demand is measured, looked into, fetched with progress, and cancelled', async ({
    page,
  }) => {
    await openSession(page, 'volumes-slow', 'volumes');
    const data = volume(page, '/var/lib/orders');
    await data.getByTestId('volume-measure').click();
    await expect(data.getByTestId('volume-size')).toContainText('58 MiB');
    await data.getByTestId('volume-fetch').click();
    const entry = (name: string) => page.locator(`[data-testid=volume-entry][data-name="${name}"]`);
    await expect(entry('events.sock').getByRole('checkbox')).toBeDisabled();
    await entry('archive').getByTestId('volume-enter').click();
    await entry('2026-11-25.jsonl').getByRole('checkbox').check();
    await expect(page.getByText('There is more than is shown here')).toBeVisible();
    await page.getByRole('navigation', { name: 'Directory' }).getByRole('button').click();
    await entry('orders.db').getByRole('checkbox').check();
    await expect(page.getByText('2 chosen')).toBeVisible();
    await look(page, 'volume-picker');
    await page.getByTestId('volume-fetch-chosen').click();
    await expect(page.getByTestId('volume-picker')).toBeHidden();
    await expect(data).toHaveAttribute('data-state', 'fetching');
    await expect(data).toContainText('18 MiB of 47 MiB');
    await look(page, 'session-volumes-fetching');
    await data.getByTestId('volume-cancel').click();
    await expect(data).toHaveAttribute('data-state', 'fetched');
  });

  test('changed files are written back', async ({ page }) => {
    await openSession(page, 'session', 'volumes');
    const data = volume(page, '/var/lib/orders');
    await expect(data.getByTestId('volume-write')).toHaveCount(0);
    await data.getByTestId('volume-fetch').click();
    await page.getByTestId('volume-fetch-all').click();
    await expect(data).toHaveAttribute('data-state', 'fetched');
    await data.getByTestId('volume-write').click();
    await expect(page.getByTestId('write-confirm')).toBeDisabled();
    await page.locator('[data-testid=write-file][data-path="schema.sql"] input').check();
    await look(page, 'volume-write');
    await page.getByTestId('write-confirm').click();
    await expect(page.getByText('1 file was written to /var/lib/orders')).toBeVisible();
  });

  test('what was changed in the cluster is overwritten only by a second word', async ({ page }) => {
    await openSession(page, 'volumes-conflict', 'volumes');
    const data = volume(page, '/var/lib/orders');
    await data.getByTestId('volume-fetch').click();
    await page.getByTestId('volume-fetch-all').click();
    await expect(data).toHaveAttribute('data-state', 'fetched');
    await data.getByTestId('volume-write').click();
    for (const file of await page.getByTestId('write-file').getByRole('checkbox').all())
      await file.check();
    await page.getByTestId('write-confirm').click();
    const conflict = (path: string) =>
      page.locator(`[data-testid=write-conflict][data-path="${path}"]`);
    await expect(page.getByRole('heading', { name: 'Overwrite?' })).toBeVisible();
    const schema = conflict('schema.sql');
    await expect(schema.getByRole('definition').first()).toContainText('11 KiB, changed 2 h ago');
    await expect(schema.getByRole('definition').last()).toContainText('12 KiB, changed 3 d ago');
    await expect(conflict('archive/2026-11-25.jsonl')).toContainText('in the pod is gone');
    await expect(page.getByTestId('write-overwrite')).toBeDisabled();
    await look(page, 'volume-overwrite');
    await schema.getByRole('checkbox').check();
    await page.getByTestId('write-overwrite').click();
    await expect(page.getByText('1 file was written to /var/lib/orders')).toBeVisible();
    await expect(page.getByTestId('write-dialog')).toBeHidden();
    // What was not chosen is still to be written.
    await data.getByTestId('volume-write').click();
    await expect(page.getByTestId('write-file')).toHaveCount(1);
    await page.getByTestId('write-file').getByRole('checkbox').check();
    await page.getByTestId('write-confirm').click();
    await page.getByRole('button', { name: 'Keep what is there' }).click();
    await expect(page.getByTestId('write-dialog')).toBeHidden();
  });

  test('of several pods, whose files they are is shown and chosen', async ({ page }) => {
    await openSession(page, 'session', 'volumes');
    const data = volume(page, '/var/lib/orders');
    const shown = data.getByTestId('volume-pod');
    await expect(shown).toHaveText(/^orders-/);
    const first = await shown.innerText();
    await data.getByTestId('volume-fetch').click();
    const choice = page.getByTestId('volume-choose-pod');
    await expect(choice).toHaveText(first);
    await choice.click();
    const other = page.getByRole('option').filter({ hasNotText: first });
    const second = await other.innerText();
    await other.click();
    await expect(choice).toHaveText(second);
    await look(page, 'volume-picker-pods');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(shown).toHaveText(second);
  });

  test('what cannot be read is told where it was asked for', async ({ page }) => {
    await openSession(page, 'volumes-fail', 'volumes');
    const data = volume(page, '/var/lib/orders');
    await data.getByTestId('volume-measure').click();
    await expect(page.getByText('cannot be measured')).toBeVisible();
    await data.getByTestId('volume-fetch').click();
    await expect(page.getByTestId('volume-picker')).toContainText('may not be read');
    await look(page, 'volume-picker-fails');
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('volume-picker')).toBeHidden();
  });
});

test('events: the newest on top, and those that come', async ({ page }) => {
  await openSession(page, 'session', 'events');
  await expect(page.getByTestId('event').first()).toContainText('Program started');
  await look(page, 'session-events');
  await changeSession(page, {
    events: 15,
    phase: { phase: 'reconnecting', reason: 'no answer' },
  });
  await expect(page.getByTestId('event').first()).toContainText('Tunnel lost');
});
