import { copied } from './session.support';
import { expect, look, open, test } from './support';

test('nothing stands in the way', async ({ page }) => {
  await open(page, 'connected');
  await page.getByTestId('nav-diagnostics').click();
  await expect(page.getByText('Nothing stands in the way')).toBeVisible();
  await expect(page.getByTestId('check')).toHaveCount(10);
  await expect(page.getByRole('region', { name: 'sandbox' })).toContainText('answers in 4 ms');
  await look(page, 'diagnostics');
});

test('each check with its result and one fix', async ({ page }) => {
  await open(page, 'diagnosis-bad');
  await page.getByTestId('nav-diagnostics').click();
  await expect(page.getByText('4 problems, 5 warnings')).toBeVisible();
  const check = (id: string) => page.locator(`[data-testid=check][data-check="${id}"]`);
  await expect(check('plugins')).toContainText('Looked in /home/mara/.local/bin');
  await expect(check('plugins')).toContainText('Problem');
  await look(page, 'diagnostics-bad');
  await check('kubeconfig').getByTestId('check-action').click();
  await expect(page.getByTestId('settings')).toBeVisible();
});

test('a leftover is repaired, and what came of it is told', async ({ page }) => {
  await open(page, 'diagnosis-bad');
  await page.getByTestId('nav-diagnostics').click();
  const leftover = page.locator('[data-testid=leftover][data-leftover="9d01c4"]');
  await leftover.getByTestId('leftover-repair').click();
  await expect(leftover).toHaveCount(0);
  await expect(page.getByText('deployment/orders is what it was.')).toBeVisible();
});

test('a repair that fails says why', async ({ page }) => {
  await open(page, 'diagnosis-bad');
  await page.getByTestId('nav-diagnostics').click();
  const leftover = page.locator('[data-testid=leftover][data-leftover="77aa10"]');
  await leftover.getByTestId('leftover-repair').click();
  await expect(leftover.getByRole('alert')).toContainText('production cannot be reached');
  await look(page, 'diagnostics-not-repaired');
});

test('a check’s own action repairs too', async ({ page }) => {
  await open(page, 'diagnosis-bad');
  await page.getByTestId('nav-diagnostics').click();
  await page.locator('[data-check=leftovers]').getByTestId('check-action').click();
  await expect(page.getByText('deployment/orders is what it was.')).toBeVisible();
});

test('the redacted report is copied with one press', async ({ page }) => {
  await open(page, 'connected');
  await page.getByTestId('nav-diagnostics').click();
  await page.getByTestId('diagnostics-copy').click();
  await expect(page.getByTestId('toast')).toContainText('The report is copied');
  await expect.poll(() => copied(page)).toContain('# Towline 0.1.0');
});

test('checks that cannot be run, and a directory that cannot be opened', async ({ page }) => {
  await open(page, 'diagnosis-fails');
  await page.getByTestId('nav-diagnostics').click();
  await expect(page.getByTestId('diagnostics-problem')).toContainText('the journal cannot be read');
  await look(page, 'diagnostics-fails');
  await page.getByTestId('diagnostics-logs').click();
  await expect(page.getByText('The file manager cannot be opened.')).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('check').first()).toBeVisible();
});

test('the log level is set from here, by keyboard', async ({ page }) => {
  await open(page, 'connected');
  await page.getByTestId('nav-diagnostics').click();
  const level = page.getByTestId('diagnostics-level');
  await level.focus();
  await page.keyboard.press('Enter');
  const highlighted = page.locator('[role=option][data-highlighted]');
  await expect(highlighted).toContainText('Information');
  await page.keyboard.press('ArrowDown');
  await expect(highlighted).toContainText('Debug');
  await page.keyboard.press('Enter');
  await expect(level).toHaveText('Debug');
});
