// @vitest-environment jsdom
import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import FieldValue from './FieldValue.svelte';
import { CUT_AT, cut } from './fieldValue';

describe('a value in the review', () => {
  it('is whole while it is short', () => {
    expect(cut('["python3"]')).toBe('["python3"]');
    render(FieldValue, { value: '["python3"]' });
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('is cut between characters', () => {
    expect(cut('x'.repeat(CUT_AT + 1))).toBe('x'.repeat(CUT_AT));
    expect(cut('x'.repeat(CUT_AT - 1) + '🦊 and more')).toBe('x'.repeat(CUT_AT - 1));
  });

  it('is shown whole when asked for', async () => {
    const value = 'x'.repeat(CUT_AT) + 'the end';
    render(FieldValue, { value });
    expect(screen.queryByText(value)).toBeNull();
    await fireEvent.click(screen.getByRole('button', { name: /all 247 characters/ }));
    expect(screen.getByText(value)).toBeTruthy();
  });
});
