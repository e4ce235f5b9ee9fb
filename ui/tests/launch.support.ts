import type { Page } from '@playwright/test';
import { testids } from '../src/lib/testids';
import { expect, open } from './support';

/** The row of that name in the table of a cluster. */
export const row = (page: Page, name: string) =>
  page.locator(`[data-testid="${testids.row}"][data-name="${name}"]`);

export const review = (page: Page) => page.getByTestId(testids.launchReview);

/** Opens the table of the first cluster. */
export async function openCluster(page: Page, scenario: string): Promise<void> {
  await open(page, scenario);
  await page.getByTestId(testids.navCluster).first().click();
}

/** Presses the redirect button of a row, as a user would. */
export async function redirect(page: Page, name: string): Promise<void> {
  await row(page, name).hover();
  await row(page, name).getByTestId(testids.rowRedirect).click();
  await expect(page.getByTestId(testids.launcher)).toBeVisible();
}

/** Opens the launcher for the orders service. */
export async function launch(page: Page, scenario: string): Promise<void> {
  await openCluster(page, scenario);
  await redirect(page, 'orders');
}
