import type { Page } from '@playwright/test';
import { testids } from '../src/lib/testids';
import { launch, openCluster, redirect, review } from './launch.support';
import { expect, expectAccessible, look, open, test } from './support';

const connect = (page: Page) => page.getByTestId(testids.launchConnect);

test.describe('administrator rights', () => {
  test('the hosts lines are in the review, and the rights are explained before the prompt', async ({
    page,
  }) => {
    await launch(page, 'hosts-file');
    await expect(page.getByTestId(testids.launchHostsFile)).toBeChecked();
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await expect(page.getByTestId(testids.launchHostsLine)).toHaveCount(5);
    await expect(page.getByTestId(testids.launchHostsLine).first()).toContainText(
      'catalogue catalogue.shop catalogue.shop.svc catalogue.shop.svc.cluster.local',
    );
    await look(page, 'launcher-hosts');
    await connect(page).click();
    const dialog = page.getByTestId(testids.rightsDialog);
    await expect(dialog).toContainText('write 5 lines to /etc/hosts');
    await expect(dialog).toContainText('listen on port 80');
    await look(page, 'launcher-rights');
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await connect(page).click();
    await page.getByTestId(testids.rightsConfirm).click();
    await expect(page.getByTestId(testids.navSession)).toHaveAttribute('aria-current', 'page');
  });

  test('the mode without them is one click away from the question', async ({ page }) => {
    await launch(page, 'hosts-file');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await connect(page).click();
    await page.getByTestId(testids.rightsWithout).click();
    await expect(page.getByTestId(testids.launchNoAdministrator)).toBeChecked();
    await expect(page.getByTestId(testids.launchHostsLine)).toHaveCount(0);
    await expect(page.getByTestId(testids.launchCommandLine)).toContainText('--no-admin');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await connect(page).click();
    await expect(page.getByTestId(testids.navSession)).toHaveAttribute('aria-current', 'page');
  });

  test('no for an answer leads back to the launcher', async ({ page }) => {
    await launch(page, 'rights-refused');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await connect(page).click();
    await page.getByTestId(testids.rightsConfirm).click();
    const told = page.getByTestId(testids.launchNotGranted);
    await expect(told).toContainText('Not granted');
    await expect(told).toContainText('nothing was changed');
    await expect(page.getByTestId(testids.footHelper)).toContainText('Not granted');
    await look(page, 'launcher-not-granted');
    await page.getByTestId(testids.launchWithoutRights).click();
    await expect(told).toBeHidden();
    await expect(page.getByTestId(testids.launchNoAdministrator)).toBeChecked();
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await connect(page).click();
    await expect(page.getByTestId(testids.navSession)).toHaveAttribute('aria-current', 'page');
  });

  test('by keys alone: Escape goes back, Enter goes on', async ({ page }) => {
    await launch(page, 'hosts-file');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await page.keyboard.press('Control+Enter');
    await expect(page.getByTestId(testids.rightsDialog)).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId(testids.rightsDialog)).toBeHidden();
    await page.keyboard.press('Control+Enter');
    await expect(page.getByTestId(testids.rightsConfirm)).toBeVisible();
    await page.getByTestId(testids.rightsConfirm).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByTestId(testids.navSession)).toHaveAttribute('aria-current', 'page');
  });
});

test.describe('ports that are taken', () => {
  const taken = (page: Page, port: number) =>
    page.locator(`[data-testid="${testids.launchTaken}"][data-port="${port}"]`);

  test('who holds them, and a second question before anything is ended by force', async ({
    page,
  }) => {
    await launch(page, 'ports-taken');
    await expect(review(page)).toHaveAttribute('data-state', 'blocked');
    await expect(taken(page, 8080)).toContainText('node, process 41213 of you');
    await expect(taken(page, 8080)).toContainText('--port 8080');
    await look(page, 'launcher-ports');
    await taken(page, 8080).getByTestId(testids.launchStopHolder).click();
    const dialog = page.getByTestId(testids.stopDialog);
    await expect(dialog).toContainText('Stop node (process 41213)?');
    await look(page, 'launcher-stop');
    await page.getByTestId(testids.stopConfirm).click();
    await expect(dialog).toContainText('still runs after 10 s');
    await expect(dialog).toContainText('What it has not saved is lost');
    await look(page, 'launcher-kill');
    await page.getByTestId(testids.stopKill).click();
    await expect(dialog).toBeHidden();
    await expect(taken(page, 8080)).toHaveCount(0);
  });

  test('another user’s process is found out by an administrator, and its service stopped', async ({
    page,
  }) => {
    await launch(page, 'ports-taken');
    await expect(taken(page, 80)).toContainText('A process of the user root');
    await taken(page, 80).getByTestId(testids.launchStopHolder).click();
    await page.getByTestId(testids.stopLook).click();
    const dialog = page.getByTestId(testids.stopDialog);
    await expect(dialog).toContainText('nginx.service');
    await look(page, 'launcher-stop-unit');
    await page.getByTestId(testids.stopConfirm).click();
    await expect(dialog).toBeHidden();
    await expect(taken(page, 80)).toHaveCount(0);
  });

  test('a service is skipped, a port of the container is mapped', async ({ page }) => {
    await launch(page, 'ports-taken');
    await expect(taken(page, 6379)).toContainText('holds the port for a container');
    await expect(taken(page, 6379).getByTestId(testids.launchStopHolder)).toHaveCount(0);
    await taken(page, 6379).getByTestId(testids.launchSkip).click();
    await expect(taken(page, 6379)).toHaveCount(0);
    await taken(page, 80).getByTestId(testids.launchSkip).click();
    await expect(taken(page, 80)).toHaveCount(0);
    await expect(review(page)).toContainText('Left out: redis.shop, catalogue.shop');
    await taken(page, 8080).getByRole('button', { name: 'Use another port than 8080' }).click();
    const field = page.locator(`[data-testid="${testids.launchPort}"][data-remote="8080"]`);
    await expect(field).toBeFocused();
    await page.keyboard.type('3000');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await page.getByRole('button', { name: 'Take them in again' }).click();
    await expect(taken(page, 80)).toHaveCount(1);
  });

  test('leaving it running changes nothing', async ({ page }) => {
    await launch(page, 'ports-taken');
    await taken(page, 8080).getByTestId(testids.launchStopHolder).click();
    await page.getByRole('button', { name: 'Leave it running' }).click();
    await expect(page.getByTestId(testids.stopDialog)).toBeHidden();
    await expect(taken(page, 8080)).toHaveCount(1);
  });
});

test.describe('names that another session has', () => {
  const check = (page: Page) => page.getByTestId(testids.launchCheck).filter({ hasText: 'redis' });

  test('are done without at a press, and refused again', async ({ page }) => {
    await launch(page, 'names-taken');
    await expect(review(page)).toHaveAttribute('data-state', 'blocked');
    await expect(check(page)).toHaveAttribute('data-code', 'name_taken');
    await expect(page.getByTestId(testids.launchConnect)).toBeDisabled();
    await look(page, 'launcher-names-taken');

    await page.getByTestId(testids.launchGoWithout).focus();
    await page.keyboard.press('Enter');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await expect(check(page)).toHaveAttribute('data-tone', 'warning');
    await expect(check(page)).toContainText('are reached as redis.shop');
    const line = page.getByTestId(testids.launchCommandLine);
    await expect(line).toContainText(' --without-taken-names');
    await expect(page.getByTestId(testids.launchRefuseNames)).toBeFocused();
    await look(page, 'launcher-names-without');

    await page.keyboard.press('Enter');
    await expect(review(page)).toHaveAttribute('data-state', 'blocked');
    await expect(line).not.toContainText('--without-taken-names');
    await page.getByTestId(testids.launchOptions).locator('summary').click();
    await page.getByTestId(testids.launchWithoutNames).check();
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await page.getByTestId(testids.launchWithoutNames).uncheck();
    await page.getByTestId(testids.launchNoAdministrator).check();
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
  });

  test('are remembered as decided', async ({ page }) => {
    await launch(page, 'names-taken');
    await page.getByTestId(testids.launchGoWithout).click();
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await page.getByTestId(testids.launchConnect).click();
    await page.getByTestId(testids.rightsConfirm).click();
    await expect(page.getByTestId(testids.navSession)).toHaveAttribute('aria-current', 'page');
    await page.getByTestId(testids.navCluster).first().click();
    await redirect(page, 'orders');
    await expect(page.getByTestId(testids.launchRefuseNames)).toBeVisible();
    await expect(page.getByTestId(testids.launchWithoutNames)).toBeChecked();
  });
});

test('the mode that the launcher begins with is a setting', async ({ page }) => {
  await open(page, 'connected');
  await page.getByTestId(testids.navSettings).click();
  await page.getByLabel('How programs find the cluster’s services').click();
  await page.getByRole('option', { name: 'By their names (hosts file)' }).click();
  await page.getByTestId('settings-save').click();
  await expect(page.getByTestId('settings-state')).toContainText('Saved');
  await page.getByTestId(testids.navCluster).first().click();
  await redirect(page, 'orders');
  await expect(page.getByTestId(testids.launchHostsFile)).toBeChecked();
});

test('lines that sessions have left in the hosts file are taken out', async ({ page }) => {
  await open(page, 'diagnosis-bad');
  await page.getByTestId(testids.navDiagnostics).click();
  const hosts = page.locator('[data-testid=check][data-check=hosts]');
  await expect(hosts).toContainText('4 lines of a session that is no more');
  await look(page, 'diagnostics-hosts');
  await hosts.getByTestId('check-action').click();
  await expect(hosts).toHaveAttribute('data-tone', 'good');
  await expect(page.getByText('were taken out of /etc/hosts')).toBeVisible();
});

test('a tooltip is inside a landmark', async ({ page }) => {
  await launch(page, 'connected');
  await page.getByTestId(testids.launchBack).hover();
  await expect(page.getByText('Back', { exact: true })).toBeVisible();
  await expectAccessible(page);
});

test('nothing moves under the pointer while the ports are read', async ({ page }) => {
  await openCluster(page, 'connected');
  await page.evaluate(() => {
    const world = Reflect.get(window, 'towlineFake').world;
    const plan = world.launch.plan;
    world.launch.plan = async (request: unknown) => {
      await new Promise((done) => Reflect.set(window, 'letRead', done));
      return plan(request);
    };
  });
  await redirect(page, 'redis');
  await expect(page.getByText('Being read from the cluster').first()).toBeVisible();
  const ports = page.getByRole('group', { name: 'Local ports' });
  const before = await ports.boundingBox();
  // The plan is asked for a moment after the screen is there.
  await page.waitForFunction(() => Reflect.has(window, 'letRead'));
  await page.evaluate(() => Reflect.get(window, 'letRead')());
  await expect(page.getByTestId(testids.launchPort).first()).toBeVisible();
  const after = await ports.boundingBox();
  expect(after?.y).toBe(before?.y);
});
