import type { Backend } from '../backend';
import type { SessionVolume, VolumeEntry, WriteConflict } from '../types';
import { refuse, type World } from './world';

type Part = Pick<
  Backend,
  | 'measureVolume'
  | 'listVolume'
  | 'fetchVolume'
  | 'cancelFetch'
  | 'chooseVolumePod'
  | 'writeBack'
  | 'changedFiles'
  | 'openVolume'
>;

/** Milliseconds between two steps of a copy. */
const STEP = 120;

const day = 86_400_000;

function entry(name: string, kind: VolumeEntry['kind'], size: number, days: number): VolumeEntry {
  return { name, kind, size, modified: Date.now() - days * day, choosable: kind !== 'special' };
}

function entries(directory: string): VolumeEntry[] {
  if (directory !== '')
    return [
      entry('2026-11-24.jsonl', 'file', 812_400, 2),
      entry('2026-11-25.jsonl', 'file', 918_233, 1),
    ];
  return [
    entry('archive', 'directory', 0, 3),
    entry('current', 'link', 0, 1),
    entry('events.sock', 'special', 0, 1),
    entry('orders.db', 'file', 48_238_592, 0),
    entry('schema.sql', 'file', 11_204, 40),
  ];
}

export class FakeVolumes implements Part {
  constructor(readonly world: World) {}

  #changed = ['schema.sql', 'archive/2026-11-25.jsonl'];

  measureVolume: Backend['measureVolume'] = async (id, path) => {
    if (this.world.scenario === 'volumes-fail')
      return refuse('unreachable', `${path} cannot be measured: the agent does not answer.`);
    const size = { files: 1_204, bytes: 61_240_331, complete: true };
    this.#put(id, path, { size });
    return size;
  };

  listVolume: Backend['listVolume'] = async (_id, path, directory) => {
    if (this.world.scenario === 'volumes-fail')
      return refuse('forbidden', `${path}/${directory} may not be read by the agent’s user.`);
    return { entries: entries(directory), complete: directory === '' };
  };

  fetchVolume: Backend['fetchVolume'] = async (id, path) => this.#step(id, path, 0);

  cancelFetch: Backend['cancelFetch'] = async (id, path) => {
    this.#put(id, path, { state: { state: 'fetched', at: Date.now(), files: 1, bytes: 900 } });
  };

  chooseVolumePod: Backend['chooseVolumePod'] = async (id, path, pod) => {
    this.#put(id, path, { pod, size: null });
  };

  writeBack: Backend['writeBack'] = async (_id, _path, paths, ifChanged) => {
    const refused =
      this.world.scenario === 'volumes-conflict' && ifChanged === 'refuse'
        ? this.#conflicts().filter(({ path }) => paths.includes(path))
        : [];
    const written = paths.filter((path) => !refused.some((conflict) => conflict.path === path));
    this.#changed = this.#changed.filter((changed) => !written.includes(changed));
    return { written: written.length, conflicts: refused };
  };

  changedFiles: Backend['changedFiles'] = async () => this.#changed;

  openVolume: Backend['openVolume'] = async () => {};

  /** One file that somebody has changed in the cluster, and one that is gone there. */
  #conflicts(): WriteConflict[] {
    const here = (size: number) => ({ size, modified: this.world.ago(9_000) });
    return [
      {
        path: 'schema.sql',
        reason: "'schema.sql' in the pod changed since it was copied",
        here: here(11_260),
        there: { size: 12_011, modified: this.world.ago(300_000) },
      },
      {
        path: 'archive/2026-11-25.jsonl',
        reason: "'archive/2026-11-25.jsonl' in the pod is gone",
        here: here(918_240),
        there: null,
      },
    ];
  }

  #step(id: string, path: string, done: number): void {
    const total = 49_000_000;
    if (done < 8) {
      const bytes = (total * done) / 8;
      const local = `/run/user/1000/towline/4c19e7/root${path}`;
      const state = { state: 'fetching' as const, bytes, total, files: done };
      this.#put(id, path, { path: local, state });
      if (this.world.scenario === 'volumes-slow' && done === 3) return;
      this.world.later(STEP, () => {
        if (this.#of(id, path)?.state.state === 'fetching') this.#step(id, path, done + 1);
      });
    } else {
      this.#put(id, path, { state: { state: 'fetched', at: Date.now(), files: 8, bytes: total } });
    }
  }

  #of(id: string, path: string): SessionVolume | undefined {
    const session = this.world.app.sessions.find((session) => session.id === id);
    return session?.volumes.find(({ volume }) => volume.mountPath === path);
  }

  #put(id: string, path: string, changes: Partial<SessionVolume>): void {
    const session = this.world.app.sessions.find((session) => session.id === id);
    const volumes = session?.volumes.map((volume) =>
      volume.volume.mountPath === path ? { ...volume, ...changes } : volume,
    );
    if (volumes) this.world.sessions.change(id, { volumes });
  }
}
