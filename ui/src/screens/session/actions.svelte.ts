import { backend } from '$lib/backend';
import type { Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';

type What =
  | 'stopSession'
  | 'reconnectSession'
  | 'dismissSession'
  | 'startProgram'
  | 'stopProgram'
  | 'restartProgram';

/** What the user asks of a session: one thing at a time, and what came of it if it failed. */
export class SessionActions {
  /** What is under way. */
  busy = $state<What | null>(null);
  problem = $state.raw<{ what: What; report: Report } | null>(null);

  constructor(readonly id: string) {}

  /** Whether it was done. */
  async run(what: What): Promise<boolean> {
    if (this.busy) return false;
    this.busy = what;
    this.problem = null;
    try {
      await backend[what](this.id);
      return true;
    } catch (thrown) {
      this.problem = { what, report: asReport(thrown) };
      return false;
    } finally {
      this.busy = null;
    }
  }
}
