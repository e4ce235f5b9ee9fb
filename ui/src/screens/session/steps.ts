import type { Session, StepTime } from '$lib/backend/types';

const WORDS: Record<string, string> = {
  names: 'Write the names',
  lease: 'Take the lease',
  restorer: 'Start the restorer',
  patch: 'Put the agent in place',
  pods: 'Wait for the pods',
  environment: 'Read the environment',
  listeners: 'Open the listeners',
  restore: 'Put the workload back',
  rollback: 'Wait for the rollout',
  sweep: 'Clear up in the cluster',
};

const WAY_IN = ['names', 'lease', 'restorer', 'patch', 'pods', 'environment', 'listeners'];
const WAY_OUT = ['restore', 'rollback', 'sweep'];

export interface ShownStep {
  step: string;
  word: string;
  state: 'done' | 'now' | 'ahead' | 'failed';
  /** Milliseconds, so far where it is under way; null: not begun. */
  took: number | null;
}

/** A step's name in words; a step of a later version keeps its own name. */
export function stepWord(step: string): string {
  return WORDS[step] ?? step;
}

/** The steps of the way that the session is on, those that lie ahead too. */
export function shownSteps(session: Session, now: number): ShownStep[] {
  const { phase } = session.phase;
  const times = lastOfEach(session.steps);
  // The names are made ready first, and only in the mode that writes the hosts file.
  const way =
    phase === 'stopping'
      ? WAY_OUT
      : WAY_IN.filter((step) => step !== 'names' || session.mode === 'hostsFile');
  const extra = session.steps.map(({ step }) => step).filter((step) => !(step in WORDS));
  const names = phase === 'stopping' ? way : [...way, ...new Set(extra)];
  return names.map((step) => {
    const time = times.get(step);
    if (!time) return { step, word: stepWord(step), state: 'ahead' as const, took: null };
    const state = time.failed ? 'failed' : time.took !== null ? 'done' : 'now';
    const took = time.took ?? Math.max(0, now - time.began);
    return { step, word: stepWord(step), state: state as ShownStep['state'], took };
  });
}

/** A session that connected again has each step more than once: the last one counts. */
function lastOfEach(steps: StepTime[]): Map<string, StepTime> {
  return new Map(steps.map((time) => [time.step, time]));
}
