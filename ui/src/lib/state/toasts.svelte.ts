import { asReport } from '$lib/components/report';
import type { StatusTone } from '$lib/components/tone';

interface Toast {
  id: number;
  tone: StatusTone;
  word: string;
  text: string;
  action?: { label: string; run: () => void };
}

/** Milliseconds that a message without an action stays; one with an action waits for the user. */
const STAY = 6000;

class Toasts {
  items = $state<Toast[]>([]);
  #next = 1;

  show(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++;
    // More than three are noise: the oldest goes.
    this.items = [...this.items.slice(-2), { ...toast, id }];
    if (!toast.action && toast.tone !== 'bad') setTimeout(() => this.dismiss(id), STAY);
  }

  done(text: string): void {
    this.show({ tone: 'good', word: 'Done', text });
  }

  /** For a failure that has no better place on the page. */
  failed(thrown: unknown, retry?: () => void): void {
    const report = asReport(thrown);
    const text = report.hint ? `${report.message} ${report.hint}` : report.message;
    this.show({
      tone: 'bad',
      word: 'Failed',
      text,
      action: retry ? { label: 'Try again', run: retry } : undefined,
    });
  }

  act(id: number): void {
    const toast = this.items.find((item) => item.id === id);
    this.dismiss(id);
    toast?.action?.run();
  }

  dismiss(id: number): void {
    this.items = this.items.filter((item) => item.id !== id);
  }
}

export const toasts = new Toasts();
