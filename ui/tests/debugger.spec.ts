import { copied, changeSession, openSession } from './session.support';
import { expect, look, test } from './support';

test('a debugger: the server first, its ways to be copied, the others behind', async ({ page }) => {
  await openSession(page, 'session');
  await page.getByTestId('debug').click();
  const dialog = page.getByTestId('debug-dialog');
  const server = dialog.getByTestId('debuggee').first();
  await expect(server).toContainText('dist/server.js');
  await expect(server).toContainText('Node.js · listens on 3000');
  await look(page, 'session-debug');
  await server.locator('[data-tool="node inspect"]').getByRole('button').click();
  await expect.poll(() => copied(page)).toBe('node inspect -p 41874');
  await expect(dialog.getByTestId('debuggee').nth(1)).toBeHidden();
  await dialog.getByText('One other process').click();
  await expect(dialog.getByTestId('debuggee').nth(1)).toContainText('npm run dev');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByTestId('debug')).toBeFocused();
});

test('what keeps a debugger out is told, with what takes it away', async ({ page }) => {
  await openSession(page, 'debug-guarded');
  await page.getByTestId('debug').click();
  const hindrance = page.getByTestId('debug-hindrance');
  await expect(hindrance).toContainText('kernel.yama.ptrace_scope is 1');
  await hindrance.getByRole('button').click();
  await expect.poll(() => copied(page)).toBe('sudo sysctl kernel.yama.ptrace_scope=0');
  await expect(page.getByTestId('debuggee').first()).toContainText('debugged by process 41990');
  await page.getByText('One other process').click();
  await expect(page.getByTestId('debuggee').nth(1)).toContainText('JAVA_TOOL_OPTIONS');
  await look(page, 'session-debug-guarded');
});

test('a program that is started again is another process', async ({ page }) => {
  await openSession(page, 'session');
  await page.getByTestId('debug').click();
  await expect(page.getByTestId('debuggee').first()).toHaveAttribute('data-pid', '41874');
  await changeSession(page, { program: { state: 'running', pid: 50_000, since: Date.now() } });
  await expect(page.getByTestId('debuggee').first()).toHaveAttribute('data-pid', '50002');
});

test('where nothing runs it says where it looked, and looks again', async ({ page }) => {
  await openSession(page, 'session-quiet');
  await page.getByTestId('debug').click();
  await expect(page.getByTestId('debug-none')).toContainText('listens on 127.0.0.1:3000');
  await look(page, 'session-debug-none');
  await changeSession(page, { program: { state: 'running', pid: 50_000, since: Date.now() } });
  await expect(page.getByTestId('debuggee').first()).toBeVisible();
});

test('an error can be tried again, and a program that has ended is not debugged', async ({
  page,
}) => {
  await openSession(page, 'debug-fails');
  await page.getByTestId('debug').click();
  const dialog = page.getByTestId('debug-dialog');
  await expect(dialog).toContainText('/proc cannot be read');
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await expect(dialog).toContainText('ps -ef');
  await page.keyboard.press('Escape');
  await changeSession(page, {
    program: { state: 'exited', how: 'exit status 1', well: false, at: Date.now() },
  });
  await expect(page.getByTestId('debug')).toHaveCount(0);
});
