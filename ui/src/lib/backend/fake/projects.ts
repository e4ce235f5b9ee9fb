import type { Backend } from '../backend';
import type { LaunchRequest, ProjectFile } from '../types';
import { refuse, type World } from './world';

type Part = Pick<Backend, 'externalHost' | 'readProject' | 'findProject' | 'saveProject'>;

/** What a project file says: a part of the form, and what the form has no field for. */
export type Said = Partial<LaunchRequest> &
  Partial<Pick<ProjectFile, 'variables' | 'envFile' | 'timeoutSeconds' | 'warnings'>>;

/** Project files by their paths. */
export class FakeProjects implements Part {
  files = new Map<string, Said>();
  /** Files that make no sense, with what is said of them. */
  broken = new Map<string, string>();
  /** What was saved last, for tests. */
  saved: LaunchRequest | null = null;

  constructor(readonly world: World) {
    world.projects = this;
  }

  externalHost: Backend['externalHost'] = async (typed) => {
    const [name = '', ports = ''] = typed.trim().split(':');
    const hint = 'Such as db.example.com:5432.';
    const numbers = ports.split(',').map(Number);
    if (numbers.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) {
      return refuse('input', `'${typed.trim()}' is not NAME:PORT or NAME:PORT,PORT.`, hint);
    }
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z])?$/i.test(name)) {
      return refuse('input', `"${name}" is not a host name.`, hint);
    }
    return { name: name.toLowerCase(), ports: numbers };
  };

  readProject: Backend['readProject'] = async (file, request) => {
    const wrong = this.broken.get(file);
    if (wrong) return refuse('input', `${file}, ${wrong}`, 'Did you mean ports?');
    const said = this.files.get(file);
    if (!said) return refuse('input', `The project file ${file} cannot be read: not found.`);
    const { variables, envFile, timeoutSeconds, warnings, ...form } = structuredClone(said);
    return {
      file,
      request: { ...structuredClone(request), ...form, project: file },
      gives: Object.keys(form),
      variables: variables ?? [],
      envFile: envFile ?? null,
      timeoutSeconds: timeoutSeconds ?? null,
      warnings: warnings ?? [],
    };
  };

  findProject: Backend['findProject'] = async (directory) => {
    const file = `${directory}/towline.yaml`;
    return this.files.has(file) || this.broken.has(file) ? file : null;
  };

  saveProject: Backend['saveProject'] = async (request, start) => {
    const file = `${start ?? '/home/mara'}/towline.yaml`;
    this.saved = structuredClone(request);
    this.files.set(file, this.saved);
    return file;
  };
}
