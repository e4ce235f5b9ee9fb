/**
 * Keys that come while a part of the window is still read: they are given to it once it is there. Only what a part may listen for: letters and signs,
 * alone or with Ctrl, and not into a field that has the keyboard already.
 */
export class EarlyKeys {
  #reading = 0;
  #kept: KeyboardEvent[] = [];

  /** The part, once it is read; what is pressed until then is kept for it. */
  async until<T>(part: Promise<T>): Promise<T> {
    this.#reading += 1;
    try {
      return await part;
    } finally {
      // What is read is drawn after this, and takes the keyboard after that.
      void drawn().then(() => this.#done());
    }
  }

  /** Keeps a key, if it has come too early: says so, and the event goes no further. */
  keep(event: KeyboardEvent): boolean {
    const early = this.#reading > 0 && event.isTrusted && event.key.length === 1;
    if (!early || event.key === ' ' || event.altKey || isField(event.target)) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#kept.push(event);
    return true;
  }

  #done(): void {
    this.#reading -= 1;
    if (this.#reading > 0) return;
    const kept = this.#kept;
    this.#kept = [];
    for (const event of kept) press(event);
  }
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input, textarea, select');
}

/** As if it were pressed now. A key that nobody handles is typed into the field that has the keyboard. */
function press({ key, ctrlKey, metaKey, shiftKey }: KeyboardEvent): void {
  const field = document.activeElement ?? document.body;
  const init = { key, ctrlKey, metaKey, shiftKey, bubbles: true, cancelable: true };
  const unhandled = field.dispatchEvent(new KeyboardEvent('keydown', init));
  if (!unhandled || ctrlKey || metaKey || !(field instanceof HTMLInputElement)) return;
  field.setRangeText(key, field.selectionStart ?? 0, field.selectionEnd ?? 0, 'end');
  field.dispatchEvent(new InputEvent('input', { data: key, bubbles: true }));
}

/** Two frames on: a dialog that opens has taken the keyboard. */
function drawn(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  });
}
