import type { Backend } from '../backend';
import { badChecks, goodChecks, REPORT } from './data/diagnosis';
import { refuse, type World } from './world';

type Part = Pick<
  Backend,
  'diagnose' | 'diagnosticReport' | 'repair' | 'repairHosts' | 'openLogDirectory'
>;

export class FakeDiagnosis implements Part {
  #tries = 0;
  #hostsRepaired = false;

  constructor(readonly world: World) {}

  diagnose: Backend['diagnose'] = async () => {
    const { scenario, app } = this.world;
    this.#tries += 1;
    if (scenario === 'diagnosis-fails' && this.#tries === 1)
      refuse(
        'internal',
        'The checks could not be run: the journal cannot be read.',
        'Try again.',
        'permission denied (os error 13)',
      );
    const leftover = app.leftovers[0];
    return scenario === 'diagnosis-bad' && leftover
      ? badChecks(leftover.id, this.#hostsRepaired)
      : goodChecks();
  };

  diagnosticReport: Backend['diagnosticReport'] = async () => REPORT;

  repair: Backend['repair'] = async (id) => {
    const { app } = this.world;
    const leftover = app.leftovers.find((one) => one.id === id);
    if (!leftover)
      return refuse('no_such_leftover', `There is no leftover ${id}.`, 'Run the checks again.');
    if (leftover.context === 'production')
      return refuse(
        'unreachable',
        'production cannot be reached, so deployment/orders was not put back.',
        'Try again when the cluster answers.',
      );
    app.leftovers = app.leftovers.map((one) => (one.id === id ? { ...one, repairing: true } : one));
    this.world.emit({ kind: 'leftovers', leftovers: app.leftovers });
    await new Promise<void>((done) => this.world.later(150, done));
    app.leftovers = app.leftovers.filter((one) => one.id !== id);
    this.world.emit({ kind: 'leftovers', leftovers: app.leftovers });
    return { tone: 'good', message: `${leftover.workload} is what it was.` };
  };

  repairHosts: Backend['repairHosts'] = async () => {
    this.#hostsRepaired = true;
    return { tone: 'good', message: '4 lines of 1 session were taken out of /etc/hosts.' };
  };

  openLogDirectory: Backend['openLogDirectory'] = async () => {
    if (this.world.scenario === 'diagnosis-fails')
      refuse(
        'no_file_manager',
        'The file manager cannot be opened.',
        'The log files are in /tmp/Towline.',
      );
  };
}
