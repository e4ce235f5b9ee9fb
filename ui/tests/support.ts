import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { serve } from './serve';

/** The sizes that everything must work at: the smallest window, and a usual one. */
export const SIZES = {
  small: { width: 900, height: 600 },
  large: { width: 1440, height: 900 },
} as const;

export const THEMES = ['light', 'dark'] as const;

/** Fails a test when the page threw, logged an error, or broke the content security policy. */
export const test = base.extend<{ clean: undefined }>({
  clean: [
    async ({ page, context }, use) => {
      await serve(context);
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      await use(undefined);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Opens the window on a scenario of the fake backend. */
export async function open(page: Page, scenario: string): Promise<void> {
  await page.goto(`/?scenario=${scenario}`);
  // The first frame, which holds everything, has come.
  await expect(page.locator('.frame')).toHaveAttribute('aria-busy', 'false');
}

/** Nothing that axe can see is wrong; `rules` looks at these only. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page }).options({
    resultTypes: ['violations'],
    ...(rules && { runOnly: rules }),
  });
  // The usual mode opens a second page to put the results of frames together; there are no frames.
  const { violations } = await axe.setLegacyMode().analyze();
  const found = violations.map(({ id, nodes }) => ({
    id,
    where: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
  }));
  expect(found).toEqual([]);
}

/** The page does not scroll sideways, and no text is squeezed out of the window. */
export async function expectFits(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBe(0);
}

/** Pictures cost time, and are for people: `TOWLINE_SHOTS=1` leaves them in `test-results/shots`. */
const shots = Boolean(process.env.TOWLINE_SHOTS);

/**
 * Goes through both sizes and both themes: looks whether it fits and whether it is accessible. All of
 * axe's rules in one of the four, and the contrast of colours in the other theme.
 */
export async function look(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await expectFits(page);
      if (shots) await page.screenshot({ path: `test-results/shots/${name}-${size}-${theme}.png` });
      if (size === 'small' && theme === 'light') await expectAccessible(page);
      if (size === 'large' && theme === 'dark') await expectAccessible(page, ['color-contrast']);
    }
  }
}
