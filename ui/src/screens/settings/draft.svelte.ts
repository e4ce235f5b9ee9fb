import { backend } from '$lib/backend';
import type { ContextPreferences, Preferences, Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';
import { tidy, validate, type Problems } from './validate';

/**
 * The settings as they are being edited. It stays when the user goes elsewhere and comes back, and it follows
 * what is saved elsewhere as long as nothing is edited here.
 */
class Draft {
  value = $state<Preferences | null>(null);
  /** The lease as it is typed. */
  lease = $state('');
  saving = $state(false);
  /** When it was last saved from here. */
  saved = $state(false);
  failed = $state.raw<Report | null>(null);

  #base = $state.raw<Preferences | null>(null);

  readonly problems: Problems = $derived(this.value ? validate(this.value, this.lease) : {});
  readonly changed: boolean = $derived(
    this.value !== null &&
      this.#base !== null &&
      (this.lease.trim() !== `${this.#base.leaseSeconds}` ||
        JSON.stringify(tidy(this.value, this.lease)) !==
          JSON.stringify(tidy(this.#base, `${this.#base.leaseSeconds}`))),
  );

  /** The settings as they are in force have come. */
  follow(preferences: Preferences): void {
    if (!this.value || !this.#base || !this.changed) return this.#set(preferences);
    // What was edited here stays, the rest is as it is in force by now.
    const edited: Partial<Preferences> = {};
    for (const key of Object.keys(preferences) as (keyof Preferences)[]) {
      if (JSON.stringify(this.value[key]) !== JSON.stringify(this.#base[key])) {
        Object.assign(edited, { [key]: this.value[key] });
      }
    }
    if (this.lease === `${this.#base.leaseSeconds}`) this.lease = `${preferences.leaseSeconds}`;
    this.#base = preferences;
    this.value = structuredClone({ ...preferences, ...$state.snapshot(edited) });
  }

  revert(): void {
    if (this.#base) this.#set(this.#base);
    this.failed = null;
    this.saved = false;
  }

  touched(): void {
    this.saved = false;
  }

  async save(): Promise<void> {
    if (!this.value || this.saving || Object.keys(this.problems).length > 0) return;
    this.saving = true;
    this.failed = null;
    const wished = tidy($state.snapshot(this.value), this.lease);
    try {
      await backend.savePreferences(wished);
      this.#set(wished);
      this.saved = true;
    } catch (thrown) {
      this.failed = asReport(thrown);
    } finally {
      this.saving = false;
    }
  }

  addFile(file: string): void {
    if (this.value && !this.value.kubeconfigFiles.includes(file)) {
      this.value.kubeconfigFiles.push(file);
    }
  }

  addContext(context: string): void {
    this.value?.contexts.push({ context, agentImage: null, pullSecret: null });
  }

  removeContext({ context }: ContextPreferences): void {
    if (!this.value) return;
    this.value.contexts = this.value.contexts.filter((other) => other.context !== context);
  }

  #set(preferences: Preferences): void {
    this.#base = preferences;
    this.value = structuredClone(preferences);
    this.lease = `${preferences.leaseSeconds}`;
  }
}

export const draft = new Draft();
