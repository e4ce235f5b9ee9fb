import { backend } from '$lib/backend';
import type { DiagnosticCheck, Repaired, Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';
import { toasts } from '$lib/state/toasts.svelte';

/** The checks and what came of repairs. */
export class Diagnosis {
  checks = $state.raw<DiagnosticCheck[] | null>(null);
  /** When they were run. */
  at = $state(0);
  running = $state(false);
  problem = $state.raw<Report | null>(null);
  /** What came of the last repair of a leftover, by its id. */
  repaired = $state.raw<Record<string, Repaired | Report>>({});
  /** The leftovers that are being repaired from here. */
  repairing = $state.raw<string[]>([]);

  /** Whether the hosts file is being repaired. */
  repairingHosts = $state(false);

  async repairHosts(): Promise<void> {
    if (this.repairingHosts) return;
    this.repairingHosts = true;
    try {
      toasts.done((await backend.repairHosts()).message);
      await this.run();
    } catch (thrown) {
      toasts.failed(thrown, () => void this.repairHosts());
    } finally {
      this.repairingHosts = false;
    }
  }

  async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.problem = null;
    try {
      this.checks = await backend.diagnose();
      this.at = Date.now();
    } catch (thrown) {
      this.problem = asReport(thrown);
    } finally {
      this.running = false;
    }
  }

  async repair(leftover: string): Promise<void> {
    if (this.repairing.includes(leftover)) return;
    this.repairing = [...this.repairing, leftover];
    try {
      this.#came(leftover, await backend.repair(leftover));
      await this.run();
    } catch (thrown) {
      this.#came(leftover, asReport(thrown));
    } finally {
      this.repairing = this.repairing.filter((id) => id !== leftover);
    }
  }

  #came(leftover: string, result: Repaired | Report): void {
    this.repaired = { ...this.repaired, [leftover]: result };
  }
}
