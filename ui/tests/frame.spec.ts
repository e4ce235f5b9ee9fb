import { testids } from '../src/lib/testids';
import { expect, look, open, test } from './support';

/** Sends a change as the application would. */
function emit(page: import('@playwright/test').Page, change: Record<string, unknown>) {
  return page.evaluate((sent) => Reflect.get(window, 'towlineFake').world.emit(sent), change);
}

test('the palette finds commands, services and profiles', async ({ page }) => {
  await open(page, 'profiles');
  await page.keyboard.press('Control+k');
  await expect(page.getByTestId(testids.paletteInput)).toBeFocused();
  await look(page, 'palette');
  await page.keyboard.type('redirect cata');
  await expect(page.getByTestId(testids.paletteItem).first()).toHaveText(/Redirect catalogue/);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId(testids.launchTarget)).toHaveValue('service/catalogue');
  await expect(page.getByTestId(testids.palette)).toBeHidden();
});

test('the palette goes to every place and closes by Escape', async ({ page }) => {
  await open(page, 'idle');
  await page.getByTestId(testids.paletteOpen).click();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId(testids.palette)).toBeHidden();
  for (const [typed, mark] of [
    ['diagnostics', testids.navDiagnostics],
    ['settings', testids.navSettings],
  ] as const) {
    await page.keyboard.press('Control+k');
    await page.getByTestId(testids.paletteInput).fill(typed);
    await page.keyboard.press('Enter');
    await expect(page.getByTestId(mark)).toHaveAttribute('aria-current', 'page');
  }
});

test('the theme can be chosen against the system', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, 'idle');
  const body = page.locator('body');
  const light = await body.evaluate((body) => getComputedStyle(body).backgroundColor);
  await page.keyboard.press('Control+k');
  await page.getByTestId(testids.paletteInput).fill('dark theme');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(body).not.toHaveCSS('background-color', light);
});

test('quitting says what it stops', async ({ page }) => {
  await open(page, 'connected');
  await emit(page, { kind: 'quitRequested', stops: ['orders (shop)', 'catalogue (shop)'] });
  const dialog = page.getByTestId(testids.quitDialog);
  await expect(dialog).toContainText('stop these 2 sessions');
  await expect(dialog).toContainText('orders (shop)');
  await look(page, 'quit');
  await page.getByTestId(testids.quitCancel).click();
  await expect(dialog).toBeHidden();

  await emit(page, { kind: 'quitRequested', stops: ['orders (shop)'] });
  await page.getByTestId(testids.quitConfirm).click();
  await expect(page.getByTestId(testids.quitConfirm)).toHaveText('Restoring…');
  await expect
    .poll(() => page.evaluate(() => Reflect.get(window, 'towlineFake').world.hasQuit))
    .toBe(true);
});

test('leftovers are offered for repair', async ({ page }) => {
  await open(page, 'leftovers');
  await expect(page.getByTestId(testids.leftoversBanner)).toContainText('2 workloads');
  await page.getByTestId(testids.leftoversShow).click();
  await expect(page.getByTestId(testids.leftoverRepair)).toHaveCount(2);
  await look(page, 'leftovers');
  const dialog = page.getByRole('dialog');
  await dialog.getByTestId(testids.leftoverRepair).first().click();
  await expect(dialog.getByTestId(testids.leftoverRepair)).toHaveCount(1);
  await expect(page.getByTestId(testids.toast)).toContainText('is what it was');
});

test('a notice opens its session’s page, and leaves by itself or on demand', async ({ page }) => {
  await open(page, 'connected');
  await emit(page, {
    kind: 'notice',
    notice: { tone: 'bad', title: 'Session lost', message: 'orders is lost.', session: null },
  });
  await expect(page.getByTestId(testids.toast)).toContainText('orders is lost.');
  await look(page, 'notice');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(page.getByTestId(testids.toast)).toHaveCount(0);
});

test('the tray leads to a place', async ({ page }) => {
  await open(page, 'connected');
  await emit(page, { kind: 'navigate', to: { place: 'diagnostics' } });
  await expect(page.getByTestId(testids.navDiagnostics)).toHaveAttribute('aria-current', 'page');
});

test('every control of the frame is reached by Tab', async ({ page }) => {
  await open(page, 'connected');
  const marks: string[] = [];
  for (let step = 0; step < 5; step++) {
    await page.keyboard.press('Tab');
    marks.push(
      await page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? ''),
    );
  }
  expect(marks).toEqual([
    testids.paletteOpen,
    testids.navClusters,
    testids.navCluster,
    testids.navDiagnostics,
    testids.navSettings,
  ]);
});

test('keys that are pressed while a part is still read are not lost', async ({ page, context }) => {
  const held: (() => void)[] = [];
  // The palette’s file comes late.
  await context.route('**/CommandPalette-*.js', async (route) => {
    await new Promise<void>((come) => held.push(come));
    await route.fallback();
  });
  await open(page, 'connected');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('diagnostics');
  await expect.poll(() => held.length).toBeGreaterThan(0);
  await expect(page.getByTestId(testids.palette)).toHaveCount(0);
  held.forEach((come) => come());
  await expect(page.getByTestId(testids.paletteInput)).toHaveValue('diagnostics');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId(testids.navDiagnostics)).toHaveAttribute('aria-current', 'page');
});
