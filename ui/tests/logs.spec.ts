import type { Page } from '@playwright/test';
import { breakLogs, openSession, writeLines } from './session.support';
import { expect, look, open, test } from './support';

const lines = (page: Page) => page.getByRole('log');

/** Scrolls the log as a wheel does. */
async function scrollUp(page: Page, by: number): Promise<void> {
  await lines(page).hover();
  await page.mouse.wheel(0, -by);
  await expect(page.getByTestId('log-follow')).toHaveAttribute('aria-pressed', 'false');
  await settled(page);
}

/** Nothing moves any more: the place has been the same for ten frames. */
async function settled(page: Page): Promise<void> {
  await lines(page).evaluate(async (log) => {
    const place = () => `${log.scrollTop} ${log.scrollHeight} ${log.textContent?.length}`;
    let last = place();
    for (let same = 0; same < 10; same++) {
      await new Promise((drawn) => requestAnimationFrame(drawn));
      const now = place();
      if (now !== last) same = 0;
      last = now;
    }
  });
}

/** The number of the topmost line that is in sight. */
function topmost(page: Page): Promise<number> {
  return lines(page).evaluate((log) => {
    const top = log.getBoundingClientRect().top;
    const rows = [...log.querySelectorAll<HTMLElement>('[data-number]')];
    const row = rows.find((row) => row.getBoundingClientRect().bottom > top + 1);
    return Number(row?.dataset.number);
  });
}

const atEnd = (page: Page) =>
  lines(page).evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2);

test('sources are told apart in words too, and lines follow the end', async ({ page }) => {
  await openSession(page, 'session', 'logs');
  await expect(lines(page)).toContainText('KeyError');
  await expect(lines(page)).toContainText('stderr');
  await expect(lines(page)).toContainText('agent');
  await expect.poll(() => atEnd(page)).toBe(true);
  await look(page, 'logs');
  await writeLines(page, 30);
  await expect(page.getByTestId('log-shown')).toContainText('462 lines');
  await expect.poll(() => atEnd(page)).toBe(true);
});

test('reading further up stays where it is; the pill says how many are new', async ({ page }) => {
  await openSession(page, 'session', 'logs');
  await expect(lines(page)).toContainText('KeyError');
  await scrollUp(page, 1500);
  const before = await topmost(page);
  await writeLines(page, 250);
  await expect(page.getByTestId('log-news')).toHaveText('250 new');
  await settled(page);
  expect(await topmost(page)).toBe(before);
  await look(page, 'logs-news');
  await page.getByTestId('log-news').click();
  await expect(page.getByTestId('log-news')).toHaveCount(0);
  await expect.poll(() => atEnd(page)).toBe(true);
});

test('a full ring of 50,000 lines: from end to end, few of them drawn', async ({ page }) => {
  await openSession(page, 'log-full', 'logs');
  await expect(page.getByTestId('log-shown')).toContainText('50,000 lines');
  await expect(page.getByText('oldest 10,012 were let go')).toBeVisible();
  const drawn = () => lines(page).locator('[data-number]').count();
  await expect.poll(drawn).toBeGreaterThan(0);
  expect(await drawn()).toBeLessThanOrEqual(240);
  await lines(page).focus();
  await page.keyboard.press('Home');
  await expect.poll(() => topmost(page)).toBe(10_013);
  // To the middle, as by dragging the scroll bar.
  await lines(page).evaluate((log) => (log.scrollTop = log.scrollHeight / 2));
  await expect.poll(() => topmost(page)).toBeGreaterThan(34_900);
  await settled(page);
  expect(await topmost(page)).toBeLessThan(35_100);
  expect(await drawn()).toBeLessThanOrEqual(300);
  // The ring moves on below: what is read stays.
  const before = await topmost(page);
  await writeLines(page, 3000);
  await expect(page.getByTestId('log-news')).toHaveText('3,000 new');
  await expect(page.getByText('oldest 13,012 were let go')).toBeVisible();
  await expect.poll(() => topmost(page)).toBe(before);
});

test('20,000 lines a second: the window answers, and shows the newest', async ({ page }) => {
  // The fake writes them in the same thread.
  test.slow();
  await openSession(page, 'log-flood', 'logs');
  const shown = page.getByTestId('log-shown');
  await expect(shown).toContainText('50,000 lines');
  await page.getByTestId('log-search').fill('coffee');
  await expect(page.getByTestId('log-matches')).toContainText('matches');
  await page.getByTestId('log-only-matches').click();
  await expect(shown).not.toContainText('50,000 lines');
  expect(await lines(page).locator('[data-number]').count()).toBeLessThanOrEqual(240);
  await expect(lines(page)).toHaveAttribute('aria-live', 'off');
});

test('long, cut, binary and right-to-left lines', async ({ page }) => {
  await openSession(page, 'log-hostile', 'logs');
  const texts = page.getByTestId('log-text');
  await expect(texts).toHaveCount(12);
  await expect(texts.nth(3)).toContainText('␀␁␂');
  // The direction of a line is its own, and no other one's.
  await expect(texts.nth(4)).toHaveCSS('direction', 'rtl');
  await expect(texts.nth(4)).toHaveCSS('unicode-bidi', 'isolate');
  await expect(texts.nth(7)).toHaveCSS('direction', 'ltr');
  const starts = await texts.evaluateAll((all) =>
    all.map((text) => Math.round(text.getBoundingClientRect().left)),
  );
  expect(new Set(starts).size).toBe(1);
  await page.keyboard.press('w');
  await expect(page.getByText('… all 10,000 characters').first()).toBeVisible();
  await settled(page);
  await look(page, 'logs-hostile');
  await page.getByRole('button', { name: '… all 10,000 characters' }).last().click();
  await expect(texts.nth(2)).toContainText('needle-end');
  await expect(page.getByText('… cut: the line has 1.0 MiB')).toBeVisible();
});

test('wrapped, the place stays too', async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await openSession(page, 'log-full', 'logs');
  await expect(page.getByTestId('log-shown')).toContainText('50,000 lines');
  await scrollUp(page, 3000);
  const before = await topmost(page);
  await page.keyboard.press('w');
  await expect(page.getByRole('button', { name: 'Wrap lines' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await settled(page);
  expect(await topmost(page)).toBe(before);
  await scrollUp(page, 6000);
  const higher = await topmost(page);
  expect(higher).toBeLessThan(before - 100);
  await writeLines(page, 500);
  await expect(page.getByTestId('log-news')).toHaveText('500 new');
  await settled(page);
  expect(await topmost(page)).toBe(higher);
});

test('search: how many, one after another, only those', async ({ page }) => {
  await openSession(page, 'session', 'logs');
  await page.keyboard.press('/');
  await expect(page.getByTestId('log-search')).toBeFocused();
  await page.keyboard.type('INCOMING');
  await expect(page.getByTestId('log-matches')).toHaveText('15 matches');
  const current = page.locator('.current [data-testid=log-text]');
  await page.keyboard.press('Enter');
  await expect(current).toHaveCount(1);
  await expect(current).toContainText('incoming 8080');
  const last = await current.textContent();
  await page.keyboard.press('Shift+Enter');
  await expect(current).not.toHaveText(last ?? '');
  await expect(current.locator('mark')).toHaveText('incoming');
  await expect(current).toBeInViewport();
  await page.getByTestId('log-only-matches').click();
  await expect(page.getByTestId('log-shown')).toContainText('15 lines');
  await look(page, 'logs-search');
  await page.getByTestId('log-search').fill('there is no such line');
  await expect(page.getByText('No line fits')).toBeVisible();
  await page.getByRole('button', { name: 'Show all lines' }).click();
  await expect(page.getByTestId('log-shown')).toContainText('432 lines');
});

test('sources are chosen; the last one cannot go', async ({ page }) => {
  await openSession(page, 'session', 'logs');
  await page.getByTestId('log-sources').click();
  const choose = (name: string) => page.getByRole('menuitemcheckbox', { name, exact: true });
  for (const name of ['Program', 'Program, standard error', 'Pods', 'Towline']) {
    await choose(name).click();
    await expect(choose(name)).toHaveAttribute('aria-checked', 'false');
  }
  await expect(choose('Agent')).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('log-sources')).toHaveText('Agent');
  await expect(page.getByTestId('log-shown')).toContainText('17 lines');
});

test('the lines that are shown are exported', async ({ page }) => {
  await openSession(page, 'session', 'logs');
  await expect(page.getByTestId('log-shown')).toContainText('432 lines');
  await page.getByTestId('log-export').click();
  await expect(page.getByTestId('toast')).toContainText('/home/mara/orders.log');
});

test('by keyboard: scrolling up stops following, f follows, t hides the times', async ({
  page,
}) => {
  await openSession(page, 'session', 'logs');
  await expect(lines(page)).toContainText('KeyError');
  await lines(page).focus();
  await page.keyboard.press('PageUp');
  await expect(page.getByTestId('log-follow')).toHaveAttribute('aria-pressed', 'false');
  await page.keyboard.press('f');
  await expect(page.getByTestId('log-follow')).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('t');
  await expect(page.getByRole('button', { name: 'Time stamps' })).toHaveAttribute(
    'aria-pressed',
    'false',
  );
  await expect(lines(page)).not.toContainText(/\d\d:\d\d:\d\d\.\d{3}/);
});

test('an empty log says what will come', async ({ page }) => {
  await openSession(page, 'log-empty', 'logs');
  await expect(page.getByText('No lines yet')).toBeVisible();
  await look(page, 'logs-empty');
  await writeLines(page, 2);
  await expect(page.getByTestId('log-text')).toHaveCount(2);
});

test('a log that cannot be read says so, and is read again', async ({ page }) => {
  await openSession(page, 'log-broken', 'logs');
  await expect(page.getByTestId('log-problem')).toContainText('cannot be read');
  await breakLogs(page, false);
  await page.getByTestId('log-problem').getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByTestId('log-problem')).toHaveCount(0);
  await expect(lines(page)).toContainText('KeyError');
});

test.describe('of pods', () => {
  test('from the explorer, and back', async ({ page }) => {
    await open(page, 'connected');
    await openPodLog(page);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('orders');
    await expect(lines(page)).toContainText('pod');
    await look(page, 'pod-log');
    await page.getByRole('button', { name: 'Back' }).click();
    await expect(page.getByTestId('pod-log')).toHaveCount(0);
  });

  test('without the right: which one is missing', async ({ page }) => {
    await open(page, 'pod-log-forbidden');
    await openPodLog(page);
    await expect(page.getByRole('alert')).toContainText('You may not get pods/log');
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    await look(page, 'pod-log-forbidden');
  });
});

async function openPodLog(page: Page): Promise<void> {
  await page.getByTestId('nav-cluster').click();
  await page.locator('[data-testid=row][data-name=orders]').hover();
  await page.locator('[data-testid=row][data-name=orders]').getByTestId('row-logs').click();
  await expect(page.getByTestId('pod-log')).toBeVisible();
}
