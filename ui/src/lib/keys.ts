const isMac = /mac/i.test(globalThis.navigator?.platform ?? '');

/** How a key is written on this system: `mod+k` is ⌘K on a Mac, Ctrl K elsewhere. */
export function keyLabel(key: string, mac = isMac): string {
  const parts = key.split('+').map((part) => {
    if (part === 'mod') return mac ? '⌘' : 'Ctrl';
    if (part === 'shift') return mac ? '⇧' : 'Shift';
    return part.length === 1 ? part.toUpperCase() : part;
  });
  return parts.join(mac ? '' : ' ');
}

/** Whether the event is `mod+key` of this system. */
export function isModKey(event: KeyboardEvent, key: string, mac = isMac): boolean {
  const mod = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  return mod && !event.altKey && event.key.toLowerCase() === key;
}

/** Whether a single letter typed now is text and not a shortcut. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  return target.matches(
    'input:not([type=checkbox], [type=radio], [type=button]), textarea, select',
  );
}
