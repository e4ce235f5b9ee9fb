import { testids } from '../src/lib/testids';
import { launch, review } from './launch.support';
import { expect, look, open, test } from './support';

test('the whole plan is there before anything is done', async ({ page }) => {
  await launch(page, 'connected');
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
  await expect(page.getByTestId(testids.launchField)).toHaveCount(5);
  await expect(page.getByTestId(testids.launchObject)).toHaveCount(5);
  await expect(page.getByTestId(testids.launchCheck)).toHaveCount(3);
  await expect(review(page)).toContainText('restores deployment/orders by itself after 120 s');
  await look(page, 'launcher');
});

test('the form changes the plan and the command line', async ({ page }) => {
  await launch(page, 'connected');
  await page.getByTestId(testids.launchByCommand).check();
  await expect(review(page)).toHaveAttribute('data-state', 'incomplete');
  await expect(page.getByTestId(testids.launchConnect)).toBeDisabled();
  await page.getByTestId(testids.launchCommand).fill('python3 orders.py');
  await page.getByTestId(testids.launchBrowse).click();
  await expect(page.getByTestId(testids.launchDirectory)).toHaveValue('/home/mara/src/orders');
  await page.locator(`[data-testid="${testids.launchPort}"][data-remote="8080"]`).fill('3000');
  await expect(page.getByTestId(testids.launchCommandLine)).toHaveText(
    'towline connect service/orders --context sandbox -n shop -p 8080:3000 --no-admin -- python3 orders.py',
  );
  await expect(review(page)).toContainText('127.0.0.1:3000');
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
  await page.getByRole('button', { name: 'Copy the command line' }).click();
  await expect
    .poll(() => page.evaluate(() => Reflect.get(window, 'towlineFake').world.copied))
    .toContain('-p 8080:3000');
});

test('a port that is none is refused where it is typed', async ({ page }) => {
  await launch(page, 'connected');
  const port = page.locator(`[data-testid="${testids.launchPort}"][data-remote="8080"]`);
  await port.fill('99999');
  await expect(port).toHaveAttribute('aria-invalid', 'true');
  await expect(review(page)).toContainText('from 1 to 65,535');
  await look(page, 'launcher-wrong-port');
});

test('a port that is taken is named with its holder; another one is free', async ({ page }) => {
  await launch(page, 'blocked');
  await expect(review(page)).toHaveAttribute('data-state', 'blocked');
  const check = page.locator(
    `[data-testid="${testids.launchCheck}"][data-code="local_port_taken"]`,
  );
  await expect(check).toContainText('node (process 41213)');
  await expect(review(page)).toContainText('nobody restores deployment/orders');
  await look(page, 'launcher-blocked');
  await page.locator(`[data-testid="${testids.launchPort}"][data-remote="8080"]`).fill('3000');
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
  await expect(page.getByTestId(testids.launchConnect)).toBeEnabled();
});

test('a workload in somebody’s session can be taken over', async ({ page }) => {
  await launch(page, 'occupied');
  await expect(review(page)).toContainText('jonas on pier');
  await expect(page.getByTestId(testids.launchConnect)).toBeDisabled();
  await look(page, 'launcher-occupied');
  await page.getByTestId(testids.launchTakeOver).check();
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
  await expect(page.getByTestId(testids.launchCommandLine)).toContainText('--take-over');
});

test('a plan that cannot be read can be read again', async ({ page }) => {
  await launch(page, 'plan-fails');
  await expect(review(page)).toContainText('selects no pods');
  await look(page, 'launcher-plan-fails');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
});

test('a refused connection leads back to the plan', async ({ page }) => {
  await launch(page, 'connect-fails');
  await page.getByTestId(testids.launchConnect).click();
  await expect(page.getByTestId(testids.launchFailed)).toContainText('changed by someone else');
  await look(page, 'launcher-refused');
  await page.getByRole('button', { name: 'Read the plan again' }).click();
  await expect(page.getByTestId(testids.launchFailed)).toBeHidden();
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
});

test('the last launch of a target is remembered', async ({ page }) => {
  await launch(page, 'profiles');
  await expect(page.getByTestId(testids.launchCommand)).toHaveValue('python3 orders.py');
  await expect(page.getByTestId(testids.launchProfiles)).toHaveText('orders (shop)');
  await page.getByTestId(testids.launchOptions).locator('summary').click();
  await look(page, 'launcher-profile');
});

test('profiles are chosen, saved and forgotten', async ({ page }) => {
  await open(page, 'profiles');
  await page.getByTestId(testids.recentProfile).first().click();
  await page.getByTestId(testids.launchProfiles).click();
  await look(page, 'launcher-profiles');
  await page.getByRole('menuitem', { name: 'catalogue with debugger' }).click();
  await expect(page.getByTestId(testids.launchTarget)).toHaveValue('service/catalogue');

  await page.getByTestId(testids.launchProfiles).click();
  await page.getByRole('menuitem', { name: 'Save this form as its profile…' }).click();
  await page.getByLabel('Name', { exact: true }).fill('catalogue at night');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByTestId(testids.launchProfiles)).toHaveText('catalogue at night');

  await page.getByTestId(testids.launchProfiles).click();
  await page.getByRole('menuitem', { name: /Forget/ }).click();
  await expect(page.getByTestId(testids.launchProfiles)).toHaveText('Profiles');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByTestId(testids.launchProfiles)).toHaveText('catalogue at night');
});

test('by keys alone: from the row to the session', async ({ page }) => {
  await open(page, 'profiles');
  await page.getByTestId(testids.navCluster).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId(testids.table)).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByTestId(testids.filter)).toBeFocused();
  await page.keyboard.type('orders');
  await expect(page.getByTestId(testids.row)).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId(testids.table)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(review(page)).toHaveAttribute('data-state', 'ready');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByTestId(testids.navSession)).toHaveAttribute('aria-current', 'page');
});
