import type { Page } from '@playwright/test';
import { testids } from '../src/lib/testids';
import { openCluster, row } from './launch.support';
import { expect, look, open, test } from './support';

async function connect(page: Page, context: string) {
  await page
    .locator(`[data-testid="${testids.contextConnect}"][data-context="${context}"]`)
    .click();
}

test('nothing is contacted before it is picked', async ({ page }) => {
  await open(page, 'idle');
  await expect(page.getByTestId(testids.contextRow)).toHaveCount(3);
  await expect(page.getByTestId(testids.navCluster)).toHaveCount(0);
  await look(page, 'contexts');

  await connect(page, 'sandbox');
  await expect(row(page, 'orders')).toBeVisible();
  await expect(page.getByTestId(testids.footConnection)).toHaveAttribute('data-state', 'connected');
});

test('a context that is not connected offers a button', async ({ page }) => {
  await open(page, 'connected');
  await page.getByTestId(testids.navCluster).click();
  await page.getByTestId(testids.contextPicker).click();
  await page.getByTestId(testids.pickerItem).filter({ hasText: 'staging' }).click();
  await expect(page.getByText('runs gke-gcloud-auth-plugin for the credentials')).toBeVisible();
  await look(page, 'not-connected');
  await page.getByTestId(testids.clusterConnect).click();
  await expect(row(page, 'orders')).toBeVisible();
  await expect(page.getByTestId(testids.navCluster)).toHaveCount(2);
});

test('services, workloads and pods', async ({ page }) => {
  await openCluster(page, 'connected');
  await row(page, 'orders').click();
  await look(page, 'services');
  await page.getByTestId(testids.tabWorkloads).click();
  await expect(row(page, 'payments')).toContainText('2/3');
  await look(page, 'workloads');
  await page.getByTestId(testids.tabPods).click();
  await expect(row(page, 'payments-2')).toContainText('CrashLoopBackOff');
  await look(page, 'pods');
});

test('a plugin that authenticates is named, with what it says', async ({ page }) => {
  await open(page, 'authenticating');
  await connect(page, 'staging');
  await expect(page.getByText('Authenticating with gke-gcloud-auth-plugin')).toBeVisible();
  await expect(page.getByTestId(testids.pluginSaid)).toContainText('FJWK-QZPD');
  await look(page, 'authenticating');
  await page.getByTestId(testids.clusterCancel).click();
  await expect(page.getByTestId(testids.clusterConnect)).toBeVisible();
});

test('a plugin that is missing is named, and can be tried again', async ({ page }) => {
  await open(page, 'failing');
  await connect(page, 'staging');
  await expect(page.getByRole('alert')).toContainText('gke-gcloud-auth-plugin');
  await look(page, 'failed');
  await page.getByTestId(testids.clusterRetry).click();
  await expect(page.getByTestId(testids.cluster)).toHaveAttribute('data-state', 'failed');
});

test('rights are missing: a namespace can be typed', async ({ page }) => {
  await openCluster(page, 'forbidden');
  await expect(page.getByTestId(testids.tableForbidden)).toContainText('list services');
  await look(page, 'forbidden');
  await page.getByTestId(testids.namespaceInput).fill('shop');
  await page.getByTestId(testids.namespaceInput).press('Enter');
  await expect(row(page, 'orders')).toBeVisible();
  await expect(page.getByTestId(testids.namespacePicker)).toHaveText('shop');
});

test('rights are missing: a namespace can be typed into the picker', async ({ page }) => {
  await openCluster(page, 'forbidden');
  await page.getByTestId(testids.namespacePicker).click();
  await page.getByTestId(testids.pickerSearch).fill('shop');
  await page.getByTestId(testids.pickerSearch).press('Enter');
  await expect(row(page, 'orders')).toBeVisible();
});

test('unreachable: the rows stay, with their time', async ({ page }) => {
  await openCluster(page, 'unreachable');
  await expect(page.getByTestId(testids.staleBanner)).toContainText('does not answer');
  await expect(page.getByTestId(testids.staleBanner)).toContainText('1 min ago');
  await expect(row(page, 'orders')).toBeVisible();
  await look(page, 'unreachable');
  await page.getByTestId(testids.clusterRetry).click();
  await expect(page.getByTestId(testids.staleBanner)).toBeHidden();
});

test('a placeholder shows while rows are read', async ({ page }) => {
  await openCluster(page, 'loading');
  await expect(page.getByTestId('skeleton')).toBeVisible();
  await look(page, 'loading');
});

test('a broken kubeconfig costs only its own contexts', async ({ page }) => {
  await open(page, 'broken');
  await expect(page.getByTestId(testids.brokenFile)).toContainText('line 14, column 5');
  await expect(page.getByTestId(testids.contextRow)).toHaveCount(2);
  await look(page, 'broken-kubeconfig');
});

test('without a kubeconfig there is a way on', async ({ page }) => {
  await open(page, 'no-kubeconfig');
  await look(page, 'no-kubeconfig');
  await page.getByRole('button', { name: 'Choose kubeconfig files' }).click();
  await expect(page.getByTestId(testids.navSettings)).toHaveAttribute('aria-current', 'page');
});

test('an empty namespace says so', async ({ page }) => {
  await openCluster(page, 'empty');
  await expect(page.getByTestId(testids.tableEmpty)).toContainText('No services in shop');
  await look(page, 'empty');
});

test('the filter narrows, says how many fit, and is cleared', async ({ page }) => {
  await openCluster(page, 'connected');
  await page.getByTestId(testids.filter).fill('headless');
  await expect(page.getByTestId(testids.row)).toHaveCount(1);
  await expect(page.getByText('1 row fits')).toBeVisible();
  await page.getByTestId(testids.filter).fill('nothing-like-this');
  await expect(page.getByTestId(testids.tableEmpty)).toContainText('There are 7 in shop');
  await look(page, 'nothing-fits');
  await page.getByTestId(testids.filterClear).click();
  await expect(page.getByTestId(testids.row)).toHaveCount(7);
});

test('several namespaces at once', async ({ page }) => {
  await openCluster(page, 'connected');
  await page.getByTestId(testids.namespacePicker).click();
  await look(page, 'namespaces');
  await page.getByTestId(testids.pickerSearch).fill('monit');
  const first = page.getByTestId(testids.pickerItem).first();
  await expect(first).toContainText('monitoring');
  await expect(first).toHaveAttribute('aria-selected', 'true');
  await page.getByTestId(testids.pickerSearch).press('Control+Enter');
  await expect(first).toHaveAttribute('data-picked', 'true');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId(testids.namespacePicker)).toHaveText('shop + 1');
  await expect(page.getByRole('columnheader', { name: 'Namespace' })).toBeVisible();
});

test('long and right-to-left names fit', async ({ page }) => {
  await openCluster(page, 'names');
  await expect(page.getByTestId(testids.row)).toHaveCount(4);
  await look(page, 'names');
  await page.getByTestId(testids.tabPods).click();
  await look(page, 'names-pods');
});

test('five thousand pods: few elements, and the last one is a key away', async ({ page }) => {
  await openCluster(page, 'crowd');
  await page.getByTestId(testids.tabPods).click();
  const table = page.getByTestId(testids.table);
  await expect(table).toHaveAttribute('aria-rowcount', '5001');
  await expect(page.getByTestId(testids.row).first()).toBeVisible();
  await table.focus();
  await page.keyboard.press('End');
  await expect(row(page, 'ledger-495-5d8c7f9b6-00009')).toBeVisible();
  await expect(row(page, 'ledger-495-5d8c7f9b6-00009')).toHaveAttribute('aria-selected', 'true');
  expect(await page.getByTestId(testids.row).count()).toBeLessThan(80);
  await look(page, 'crowd');
});

test('rows that change show at once, and the active row stays the same one', async ({ page }) => {
  await openCluster(page, 'connected');
  await row(page, 'orders').click();
  await page.evaluate(() => {
    const { world } = (window as never as { towlineFake: { world: FakeWorld } }).towlineFake;
    world.clusters.change('sandbox', 'services', (rows) => [
      { ...rows[0], name: 'aardvark', key: 'shop/service/aardvark' },
      ...rows,
    ]);
  });
  await expect(row(page, 'aardvark')).toBeVisible();
  await expect(row(page, 'orders')).toHaveAttribute('aria-selected', 'true');
  await expect(row(page, 'orders')).toHaveAttribute('aria-rowindex', '5');
});

interface FakeWorld {
  clusters: {
    change(
      context: string,
      table: string,
      edit: (rows: Record<string, unknown>[]) => Record<string, unknown>[],
    ): void;
  };
}

test('what cannot be redirected says why', async ({ page }) => {
  await openCluster(page, 'connected');
  await row(page, 'tax').hover();
  await expect(row(page, 'tax').getByTestId(testids.rowRedirect)).toBeDisabled();
  await row(page, 'tax').click();
  await expect(row(page, 'tax')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('r');
  await expect(page.getByTestId(testids.toast)).toContainText('external name');
});

test('by keys alone: filter, move, copy, logs, redirect', async ({ page }) => {
  await openCluster(page, 'connected');
  await expect(page.getByTestId(testids.table)).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByTestId(testids.filter)).toBeFocused();
  await page.keyboard.type('headless');
  await expect(page.getByTestId(testids.row)).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(page.getByTestId(testids.filter)).toHaveValue('');
  await expect(page.getByTestId(testids.row)).toHaveCount(7);
  await page.keyboard.press('ArrowDown');
  await expect(page.getByTestId(testids.table)).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(row(page, 'orders')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('c');
  await expect(page.getByTestId(testids.toast)).toContainText('orders is on the clipboard');
  await page.keyboard.press('r');
  await expect(page.getByTestId(testids.launcher)).toBeVisible();
});
