import type { Page } from '@playwright/test';
import { testids } from '../src/lib/testids';
import { launch, review } from './launch.support';
import { expect, look, open, test } from './support';

const strip = (page: Page) => page.getByTestId(testids.launchProjectStrip);
const hosts = (page: Page) => page.getByTestId(testids.launchHostRow);

/** An item of the project file's menu, by keys. */
async function choose(page: Page, item: string): Promise<void> {
  await page.getByTestId(testids.launchProject).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: item }).press('Enter');
}

test.describe('a project file', () => {
  test('is chosen; what it gives is filled in, and shown as such', async ({ page }) => {
    await launch(page, 'project-files');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await choose(page, 'Use a project file…');
    await expect(strip(page)).toHaveAttribute('data-state', 'read');
    await expect(strip(page)).toContainText('Gives target, namespace, ports, external hosts');
    await expect(strip(page)).toContainText('No effect');
    await expect(page.getByTestId(testids.launchCommand)).toHaveValue('python3 orders.py');
    await expect(page.getByTestId(testids.launchLease)).toHaveValue('60');
    await expect(hosts(page)).toHaveCount(1);
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await expect(review(page)).toContainText('1 host outside the cluster is reached');
    await expect(review(page)).toContainText('3 variables of the project file come');
    await expect(page.getByTestId(testids.launchCommandLine)).toContainText(
      '--project /home/mara/src/orders/towline.yaml',
    );
    await look(page, 'launcher-project');

    await expect(page.getByText('from towline.yaml')).toHaveCount(6);
    await page.getByTestId(testids.launchLease).fill('90');
    await expect(page.getByText('unlike towline.yaml')).toHaveCount(1);
    await choose(page, 'Read it again');
    await expect(page.getByTestId(testids.launchLease)).toHaveValue('60');
    await choose(page, 'Do not use it');
    await expect(strip(page)).toHaveCount(0);
    await expect(page.getByTestId(testids.launchCommandLine)).not.toContainText('--project');
  });

  test('is found where the program lives', async ({ page }) => {
    await launch(page, 'project-files');
    await page.getByTestId(testids.launchByCommand).check();
    await page.getByTestId(testids.launchDirectory).fill('/home/mara/src/orders');
    await expect(page.getByTestId(testids.launchProjectFound)).toBeVisible();
    await look(page, 'launcher-project-found');
    await page.getByTestId(testids.launchProjectFound).click();
    await expect(strip(page)).toHaveAttribute('data-state', 'read');
    await expect(page.getByTestId(testids.launchProjectFound)).toHaveCount(0);
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
  });

  test('that makes no sense is told with its place, and can be done without', async ({ page }) => {
    await launch(page, 'project-files');
    await page.getByTestId(testids.launchByCommand).check();
    await page.getByTestId(testids.launchCommand).fill('python3 orders.py');
    await page.getByTestId(testids.launchDirectory).fill('/home/mara/src/broken');
    await page.getByTestId(testids.launchProjectFound).click();
    await expect(strip(page)).toHaveAttribute('data-state', 'failed');
    await expect(strip(page).getByRole('alert')).toContainText('line 4, column 1: unknown key');
    await expect(review(page)).toHaveAttribute('data-state', 'incomplete');
    await expect(page.getByTestId(testids.launchConnect)).toBeDisabled();
    await look(page, 'launcher-project-broken');
    await strip(page).getByRole('button', { name: 'Do not use it' }).click();
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
  });

  test('opens the launcher from the palette', async ({ page }) => {
    await open(page, 'project-files');
    await page.keyboard.press('Control+k');
    await page.getByTestId(testids.paletteInput).fill('project file');
    await expect(page.getByTestId(testids.paletteItem).first()).toHaveText(/Use a project file/);
    await page.keyboard.press('Enter');
    await expect(page.getByTestId(testids.launchTarget)).toHaveValue('service/orders');
    await expect(strip(page)).toHaveAttribute('data-state', 'read');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
  });

  test('is made of the form', async ({ page }) => {
    await launch(page, 'connected');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
    await choose(page, 'Save this form as a project file…');
    await expect(page.getByTestId(testids.toast)).toContainText('/home/mara/towline.yaml');
    await expect(strip(page)).toHaveAttribute('data-state', 'read');
    await expect(review(page)).toHaveAttribute('data-state', 'ready');
  });
});

test('hosts outside the cluster are added and removed, by keys', async ({ page }) => {
  await launch(page, 'hosts-file');
  await page.getByTestId(testids.launchOptions).locator('summary').click();
  const field = page.getByTestId(testids.launchHost);
  await field.fill('db.example.com');
  await field.press('Enter');
  await expect(page.getByText('is not NAME:PORT')).toBeVisible();
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await look(page, 'launcher-host-wrong');
  await field.fill('db.example.com:5432');
  await field.press('Enter');
  await expect(field).toHaveValue('');
  await field.fill('queue.example.com:5671,5672');
  await field.press('Enter');
  await expect(hosts(page)).toHaveCount(2);
  await expect(review(page)).toContainText('2 hosts outside the cluster are reached');
  await expect(page.getByTestId(testids.launchCommandLine)).toContainText(
    '--external-host queue.example.com:5671,5672',
  );
  await expect(page.locator(`[data-testid="${testids.launchHostsLine}"]`).last()).toContainText(
    'queue.example.com',
  );
  await look(page, 'launcher-hosts-outside');
  await page.getByRole('button', { name: 'Remove db.example.com' }).focus();
  await page.keyboard.press('Enter');
  await expect(hosts(page)).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Remove queue.example.com' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(field).toBeFocused();
  await expect(review(page)).toHaveAttribute('data-state', 'ready');

  // Without names they cannot be had: said in the review.
  await field.fill('db.example.com:5432');
  await field.press('Enter');
  await page.getByTestId(testids.launchNoAdministrator).check();
  await expect(review(page)).toContainText('Only a name can lead to a host outside the cluster');
});
