// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { isModKey, isTyping, keyLabel } from './keys';

test('keys are written as the system writes them', () => {
  expect(keyLabel('mod+k', false)).toBe('Ctrl K');
  expect(keyLabel('mod+k', true)).toBe('⌘K');
  expect(keyLabel('r', false)).toBe('R');
  expect(keyLabel('Enter', false)).toBe('Enter');
});

test('the palette’s key is Ctrl, and Cmd on a Mac', () => {
  const control = new KeyboardEvent('keydown', { key: 'k', ctrlKey: true });
  const command = new KeyboardEvent('keydown', { key: 'k', metaKey: true });
  expect(isModKey(control, 'k', false)).toBe(true);
  expect(isModKey(command, 'k', false)).toBe(false);
  expect(isModKey(command, 'k', true)).toBe(true);
});

test('a letter in a text field is text', () => {
  const typed = (element: HTMLElement) => {
    const event = new KeyboardEvent('keydown', { key: 'r' });
    Object.defineProperty(event, 'target', { value: element });
    return isTyping(event);
  };
  const box = document.createElement('input');
  box.type = 'checkbox';
  expect(typed(document.createElement('input'))).toBe(true);
  expect(typed(document.createElement('textarea'))).toBe(true);
  expect(typed(box)).toBe(false);
  expect(typed(document.createElement('div'))).toBe(false);
});
