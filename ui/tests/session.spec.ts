import { changeSession, copied, openSession } from './session.support';
import { expect, look, test } from './support';

test('a connected session: what goes where, its state, its figures, its program', async ({
  page,
}) => {
  await openSession(page, 'session');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('orders');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('127.0.0.1:3000');
  await expect(page.getByTestId('session-state')).toHaveText('Connected');
  await expect(page.getByTestId('session-uptime')).toHaveText(/^14 min/);
  const figures = page.getByTestId('figures');
  await expect(figures).toContainText('2 of 2');
  await expect(figures).toContainText('371');
  await expect(figures).toContainText('1.4 MiB');
  await expect(figures.getByRole('img')).toHaveAccessibleName(/last 60 seconds/);
  await expect(page.getByTestId('program')).toContainText('process 41872');
  await look(page, 'session-traffic');
});

test('connecting shows the steps with their times, and can be cancelled', async ({ page }) => {
  await openSession(page, 'session-connecting');
  await expect(page.getByTestId('session-state')).toHaveText('Connecting');
  const steps = page.getByTestId('step');
  await expect(steps).toHaveCount(6);
  await expect(steps.nth(1)).toContainText('842 ms');
  await expect(steps.nth(3)).toContainText('Wait for the pods');
  await expect(steps.nth(3)).toContainText('under way');
  await expect(steps.nth(4)).toContainText('not begun');
  await expect(page.getByTestId('session-stop')).toHaveText('Cancel');
  await look(page, 'session-connecting');
});

test('reconnecting is an amber bar, and everything else stays', async ({ page }) => {
  await openSession(page, 'session-reconnecting');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const bar = page.getByTestId('session-reconnecting');
  await expect(bar).toContainText('no answer from the agents for 15 s');
  await expect(bar).toContainText('Your program goes on');
  await expect(page.getByTestId('figures')).toContainText('0 of 2');
  await expect(page.getByTestId('tab-traffic')).toBeVisible();
  await look(page, 'session-reconnecting');
  await changeSession(page, { phase: { phase: 'connected' } });
  await expect(bar).toHaveCount(0);
});

test('lapsed: connect again, or end', async ({ page }) => {
  await openSession(page, 'session-lapsed');
  await expect(page.getByTestId('session-lapsed')).toContainText('has restored deployment/orders');
  await look(page, 'session-lapsed');
  await page.getByTestId('session-reconnect').click();
  await expect(page.getByTestId('session-state')).toHaveText('Connecting');
  await expect(page.getByTestId('session-state')).toHaveText('Connected');
});

test('a lapsed session can be ended', async ({ page }) => {
  await openSession(page, 'session-lapsed');
  await page.getByTestId('session-end').click();
  await expect(page.getByTestId('session-ending')).toContainText(
    'deployment/orders is what it was.',
  );
});

test('stop restores and says that it did', async ({ page }) => {
  await openSession(page, 'session');
  await page.getByTestId('session-stop').click();
  await expect(page.getByTestId('session-state')).toHaveText('Ended');
  await expect(page.getByTestId('session-ending')).toContainText('Restored');
  await expect(page.getByTestId('session-uptime')).toHaveText(/^lasted/);
  // What was written can still be read.
  await expect(page.getByTestId('log-lines')).toBeVisible();
});

test('stopping', async ({ page }) => {
  await openSession(page, 'session-stopping');
  await expect(page.getByTestId('session-stop')).toBeDisabled();
  await look(page, 'session-stopping');
});

test('an ended session is dismissed, or connected again in the launcher', async ({ page }) => {
  await openSession(page, 'session-ended');
  await look(page, 'session-ended');
  await page.getByTestId('session-again').click();
  await expect(page.getByTestId('session')).toHaveCount(0);
  await page.getByTestId('nav-session').click();
  await page.getByTestId('session-dismiss').click();
  await expect(page.getByTestId('nav-session')).toHaveCount(0);
  await expect(page.getByTestId('session')).toHaveCount(0);
});

test('somebody deployed: theirs stays', async ({ page }) => {
  await openSession(page, 'session-overwritten');
  await expect(page.getByTestId('session-ending')).toContainText('Somebody deployed');
  await expect(page.getByTestId('program')).toContainText('Running');
  await look(page, 'session-overwritten');
});

test('what failed tells the message, the hint and the detail, and where it broke off', async ({
  page,
}) => {
  await openSession(page, 'session-failed');
  const ending = page.getByTestId('session-ending');
  await expect(ending).toContainText('cannot be pulled');
  await expect(ending).toContainText('towline agent push');
  await ending.getByText('Detail').click();
  await expect(ending).toContainText('ErrImagePull');
  await expect(page.getByTestId('step')).toHaveCount(2);
  await expect(page.getByTestId('step').last()).toContainText('failed');
  await look(page, 'session-failed');
});

test.describe('the program', () => {
  test('is stopped, started and restarted', async ({ page }) => {
    await openSession(page, 'session');
    const program = page.getByTestId('program');
    await page.getByTestId('program-stop').click();
    await expect(program).toHaveAttribute('data-state', 'exited');
    await expect(program).toContainText('SIGTERM');
    await page.getByTestId('program-start').click();
    await expect(program).toContainText('process 42007');
    await page.getByTestId('program-restart').click();
    await expect(program).toContainText('process 42014');
  });

  test('that ended badly is told, with what it means', async ({ page }) => {
    await openSession(page, 'session-program-exited');
    await expect(page.getByTestId('session-state')).toHaveText('Attention');
    await expect(page.getByTestId('session-attention')).toContainText('exit status 1');
    await expect(page.getByTestId('program')).toContainText('Ended badly');
    await expect(page.getByTestId('silent-port')).toContainText(
      '127.0.0.1:3000 takes no connections',
    );
    await look(page, 'session-program-exited');
  });

  test('that cannot be started says why, and is tried again', async ({ page }) => {
    await openSession(page, 'session-program-failed');
    const program = page.getByTestId('program');
    await expect(program).toContainText('no such program on the PATH');
    await expect(program).toContainText('Give its whole path');
    await look(page, 'session-program-failed');
    await program.getByRole('button', { name: 'Try again' }).click();
    await expect(program).toHaveAttribute('data-state', 'running');
  });

  test('that the user starts: where it is expected', async ({ page }) => {
    await openSession(page, 'session-quiet');
    const program = page.getByTestId('program');
    await expect(program).toContainText('You start the program');
    await expect(program).toContainText('expected on 127.0.0.1:3000');
    const copy = program.getByRole('button', { name: 'Copy the line that loads the environment' });
    await expect(copy).toBeVisible();
    await look(page, 'session-quiet');
  });
});

test('the command line and the URL are copied from the menu', async ({ page }) => {
  await openSession(page, 'session');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Copy command line' }).click();
  await expect(page.getByTestId('toast')).toContainText('copied');
  await expect.poll(() => copied(page)).toContain('towline connect service/orders');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Copy URL' }).click();
  await expect.poll(() => copied(page)).toBe('http://127.0.0.1:3000/');
});

test('a request that fails is told in place, and tried again', async ({ page }) => {
  await openSession(page, 'session');
  await page.evaluate(() => {
    const { world } = (window as never as { towlineFake: { world: { sessions: object } } })
      .towlineFake;
    const sessions = world.sessions as { stopSession: (id: string) => Promise<void> };
    const real = sessions.stopSession;
    sessions.stopSession = () => {
      sessions.stopSession = real;
      return Promise.reject({
        code: 'unreachable',
        message: 'sandbox cannot be reached.',
        hint: 'Try again.',
        detail: null,
      });
    };
  });
  await page.getByTestId('session-stop').click();
  await expect(page.getByTestId('session-problem')).toContainText('sandbox cannot be reached.');
  await page.getByTestId('session-problem').getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('session-state')).toHaveText('Ended');
});

test('names of 63 characters, several ports and right-to-left text fit', async ({ page }) => {
  await openSession(page, 'session-hostile');
  await expect(page.getByText('No restorer')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('+1');
  await look(page, 'session-hostile');
});

test('a session that is gone leads back', async ({ page }) => {
  await openSession(page, 'session-ended');
  await page.evaluate(() =>
    (
      window as never as { towlineFake: { dismissSession: (id: string) => Promise<void> } }
    ).towlineFake.dismissSession('4c19e7'),
  );
  await expect(page.getByText('This session is no more')).toBeVisible();
  await page.getByRole('button', { name: 'To the clusters' }).click();
  await expect(page.getByTestId('nav-clusters')).toHaveAttribute('aria-current', 'page');
});

test('by keyboard only: the tabs, the menu, stop', async ({ page }) => {
  await openSession(page, 'session');
  await page.getByTestId('tab-traffic').focus();
  for (const tab of ['dns', 'environment', 'volumes', 'logs', 'events']) {
    await page.keyboard.press('ArrowRight');
    await expect(page.getByTestId(`tab-${tab}`)).toHaveAttribute('data-state', 'active');
  }
  await page.getByRole('button', { name: 'More' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  // Closed, and the keyboard back where it was.
  await expect(page.getByRole('menu')).toBeHidden();
  await expect(page.getByRole('button', { name: 'More' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('session-stop')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('session-state')).toHaveText('Ended');
});
