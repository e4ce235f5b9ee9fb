import { backend } from '$lib/backend';
import type { LaunchRequest, ProjectFile, Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';

/** Milliseconds without a keystroke before a file is looked for. */
const REST = 300;

/** The project file of a form: read into it, told apart from what is typed, found where the program lives. */
export class ProjectUse {
  /** What it says; null: none is used, or it cannot be. */
  file = $state.raw<ProjectFile | null>(null);
  /** Why it cannot be used, with line and column. */
  problem = $state.raw<Report | null>(null);
  /** One in the working directory or above it, where none is used. */
  found = $state<string | null>(null);

  /** Counts readings: an answer to an earlier one is thrown away. */
  #reading = 0;

  constructor(readonly form: { request: LaunchRequest }) {}

  readonly state = $derived.by(() => {
    if (this.problem) return 'failed';
    return this.file ? 'read' : 'reading';
  });

  /** Reads a file, and fills in what it says. */
  use(path: string): Promise<void> {
    return this.#read(path, true);
  }

  /** Reads the file of a form that was filled in before: what was changed since stays. */
  async look(): Promise<void> {
    const { project } = this.form.request;
    if (project !== null) await this.#read(project, false);
  }

  /** What it has filled in stays. */
  drop(): void {
    this.#reading += 1;
    this.file = null;
    this.problem = null;
    this.form.request.project = null;
  }

  /** Said beside a field that the file gives; null: it does not. */
  mark(field: keyof LaunchRequest): string | null {
    if (!this.file?.gives.includes(field)) return null;
    const name = fileName(this.file.file);
    const [given, now] = [this.file.request[field], this.form.request[field]];
    return JSON.stringify(given) === JSON.stringify(now) ? `from ${name}` : `unlike ${name}`;
  }

  /** Looks for a file where the program lives; for an effect, gives its end. */
  seek(): (() => void) | undefined {
    const { program, project } = this.form.request;
    const directory = program.start === 'command' ? (program.directory ?? '').trim() : '';
    this.found = null;
    if (directory === '' || project !== null) return undefined;
    let wanted = true;
    const timer = setTimeout(() => {
      // Another user’s file is not offered.
      const search = backend.findProject(directory).catch(() => null);
      void search.then((found) => {
        if (wanted) this.found = found;
      });
    }, REST);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }

  async #read(path: string, fill: boolean): Promise<void> {
    const reading = ++this.#reading;
    this.form.request.project = path;
    try {
      const file = await backend.readProject(path, $state.snapshot(this.form.request));
      if (reading !== this.#reading) return;
      this.file = file;
      this.problem = null;
      if (fill) this.form.request = structuredClone(file.request);
    } catch (thrown) {
      if (reading !== this.#reading) return;
      this.file = null;
      this.problem = asReport(thrown);
    }
  }
}

/** `towline.yaml` of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The directory of a path. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

const WORDS: Partial<Record<keyof LaunchRequest, string>> = {
  exclude: 'services left out',
  externalHosts: 'external hosts',
  mode: 'how services are found',
  files: 'the container’s files',
  program: 'command',
  reconnect: 'connecting again',
  leaseSeconds: 'lease',
  agentImage: 'agent’s image',
  pullSecret: 'pull secret',
};

/** What a file gives, in words. */
export function given({ gives, variables, envFile, timeoutSeconds }: ProjectFile): string {
  const fields = gives.map((field) => WORDS[field as keyof LaunchRequest] ?? field);
  if (timeoutSeconds !== null) fields.push(`timeout of ${timeoutSeconds} s`);
  if (envFile !== null) fields.push(`environment file ${fileName(envFile)}`);
  if (variables.length > 0) {
    fields.push(variables.length === 1 ? '1 variable' : `${variables.length} variables`);
  }
  return fields.length === 0 ? 'It says nothing.' : `Gives ${fields.join(', ')}.`;
}
