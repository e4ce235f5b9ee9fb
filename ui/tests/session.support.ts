import type { Page } from '@playwright/test';
import type { createFake } from '../src/lib/backend/fake';
import { expect, open } from './support';

export const SESSION = '4c19e7';

type Fake = ReturnType<typeof createFake>;
type WithFake = Window & { towlineFake: Fake };

/** Opens the session of a scenario, on one of its tabs. */
export async function openSession(page: Page, scenario: string, tab?: string): Promise<void> {
  await open(page, scenario);
  await page.getByTestId('nav-session').click();
  await expect(page.getByTestId('session')).toBeVisible();
  if (tab) await page.getByTestId(`tab-${tab}`).click();
}

/** The program writes lines. */
export async function writeLines(page: Page, count: number, log = SESSION): Promise<void> {
  await page.evaluate(
    ([log, count]) => (window as unknown as WithFake).towlineFake.world.logs.write(log, count),
    [log, count] as const,
  );
}

/** Reading logs fails, or does not fail any more. */
export async function breakLogs(page: Page, broken: boolean): Promise<void> {
  await page.evaluate((broken) => {
    (window as unknown as WithFake).towlineFake.world.logs.broken = broken;
  }, broken);
}

export async function changeSession(
  page: Page,
  changes: Parameters<Fake['world']['sessions']['change']>[1],
): Promise<void> {
  await page.evaluate(
    ([id, changes]) =>
      (window as unknown as WithFake).towlineFake.world.sessions.change(id, changes),
    [SESSION, changes] as const,
  );
}

/** What the window has put on the clipboard through the backend. */
export function copied(page: Page): Promise<string> {
  return page.evaluate(() => (window as unknown as WithFake).towlineFake.world.copied);
}
