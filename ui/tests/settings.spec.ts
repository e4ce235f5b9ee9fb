import type { Page } from '@playwright/test';
import { expect, look, open, test } from './support';

async function openSettings(page: Page, scenario: string): Promise<void> {
  await open(page, scenario);
  await page.getByTestId('nav-settings').click();
  await expect(page.getByTestId('settings')).toBeVisible();
}

const saved = (page: Page) => expect(page.getByTestId('settings-state')).toHaveText('Saved');

test('what is changed is not saved before it is asked for', async ({ page }) => {
  await openSettings(page, 'settings');
  await look(page, 'settings');
  await expect(page.getByTestId('settings-save')).toBeDisabled();
  await page.getByTestId('lease-seconds').fill('60');
  await expect(page.getByTestId('settings-state')).toHaveText('Not saved');
  await page.getByTestId('settings-revert').click();
  await expect(page.getByTestId('lease-seconds')).toHaveValue('120');
  await page.getByTestId('lease-seconds').fill('45');
  await page.getByTestId('settings-save').click();
  await saved(page);
  // Somewhere else and back: it is what it was set to.
  await page.getByTestId('nav-diagnostics').click();
  await page.getByTestId('nav-settings').click();
  await expect(page.getByTestId('lease-seconds')).toHaveValue('45');
});

test('what is wrong is told at the field, and cannot be saved', async ({ page }) => {
  await openSettings(page, 'settings');
  await page.getByTestId('lease-seconds').fill('3601');
  await page.getByLabel('Pull secret').fill('Not A Name');
  await expect(page.getByText('Give whole seconds, from 5 to 3,600.')).toBeVisible();
  await expect(page.getByText('A secret’s name has small letters')).toBeVisible();
  await expect(page.getByTestId('lease-seconds')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByTestId('settings-state')).toHaveText('2 fields are wrong');
  await expect(page.getByTestId('settings-save')).toBeDisabled();
  await look(page, 'settings-wrong');
});

test('what is edited stays when one looks elsewhere', async ({ page }) => {
  await openSettings(page, 'settings');
  await page.getByTestId('lease-seconds').fill('77');
  await page.getByTestId('nav-diagnostics').click();
  await page.getByTestId('nav-settings').click();
  await expect(page.getByTestId('lease-seconds')).toHaveValue('77');
  await expect(page.getByTestId('settings-state')).toHaveText('Not saved');
});

test('kubeconfig files are added, ordered and removed, by keyboard', async ({ page }) => {
  await openSettings(page, 'settings');
  const files = page.getByTestId('kubeconfig-file');
  await page.getByTestId('kubeconfig-add').focus();
  await page.keyboard.press('Enter');
  await expect(files).toHaveCount(3);
  await page.getByRole('button', { name: 'Earlier: /home/mara/.kube/staging.yaml' }).focus();
  await page.keyboard.press('Enter');
  await expect(files.nth(1)).toContainText('staging.yaml');
  // The keyboard stays with the file.
  await expect(
    page.getByRole('button', { name: 'Earlier: /home/mara/.kube/staging.yaml' }),
  ).toBeFocused();
  await page.getByRole('button', { name: 'Remove /home/mara/.kube/work.yaml' }).focus();
  await page.keyboard.press('Enter');
  await expect(files).toHaveCount(2);
  await page.keyboard.press('ControlOrMeta+s');
  await saved(page);
});

test('without files of its own, those that are used are shown', async ({ page }) => {
  await openSettings(page, 'idle');
  await expect(page.getByTestId('kubeconfig-file')).toHaveCount(2);
  await expect(page.getByText('No files are chosen')).toBeVisible();
});

test('a context gets an image and a secret of its own', async ({ page }) => {
  await openSettings(page, 'settings');
  await page.getByTestId('settings-context-add').click();
  await page.getByRole('option', { name: 'sandbox' }).click();
  const sandbox = page.getByRole('group', { name: 'sandbox' });
  await sandbox.getByLabel('Agent’s image').fill('registry.example/agent:2');
  await page.getByTestId('settings-save').click();
  await saved(page);
  await page.getByRole('button', { name: 'Remove the settings of staging' }).click();
  await expect(page.getByRole('group', { name: 'staging' })).toHaveCount(0);
  await expect(page.getByTestId('settings-state')).toHaveText('Not saved');
});

test('the theme is taken over when it is saved', async ({ page }) => {
  await openSettings(page, 'settings');
  await page.getByLabel('Theme').click();
  await page.getByRole('option', { name: 'Dark' }).click();
  await page.getByTestId('settings-save').click();
  await saved(page);
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('a file that cannot be read is told, and left until something is saved', async ({ page }) => {
  await openSettings(page, 'settings-problem');
  await expect(page.getByTestId('settings-problem')).toContainText('line 3');
  await look(page, 'settings-problem');
  // What is in force can be saved as it is, in the place of what cannot be read.
  await page.getByTestId('settings-save').click();
  await expect(page.getByTestId('settings-problem')).toHaveCount(0);
});

test('what cannot be saved says why, and is tried again', async ({ page }) => {
  await openSettings(page, 'settings-refused');
  await page.getByTestId('lease-seconds').fill('60');
  await page.getByTestId('settings-save').click();
  await expect(page.getByTestId('settings-failed')).toContainText('read-only file system');
  await expect(page.getByTestId('settings-failed')).toContainText('Make the directory writable');
  await expect(page.getByTestId('lease-seconds')).toHaveValue('60');
  await look(page, 'settings-refused');
});
