// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import Button from './Button.svelte';
import Status from './Status.svelte';

afterEach(cleanup);

const text = (words: string) => createRawSnippet(() => ({ render: () => `<span>${words}</span>` }));

test('a state is a shape and a word, also where only the shape is drawn', () => {
  const shapes = (['good', 'busy', 'warning', 'bad', 'neutral'] as const).map((tone) => {
    const { container } = render(Status, { tone, word: 'Word', compact: true });
    expect(container.textContent).toContain('Word');
    return container.querySelector('svg')?.innerHTML;
  });
  expect(new Set(shapes).size).toBe(5);
});

test('a busy button takes no second press', async () => {
  const onclick = vi.fn();
  render(Button, { busy: true, onclick, children: text('Connect') });
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Connect' });
  button.click();
  expect(onclick).not.toHaveBeenCalled();
  expect(button.getAttribute('aria-busy')).toBe('true');
});
