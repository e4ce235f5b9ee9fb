import type {
  FileState,
  Session,
  SessionVolume,
  VolumeEntry,
  VolumeState,
} from '$lib/backend/types';
import type { StatusTone } from '$lib/components/tone';
import { formatBytes, formatCount } from '$lib/format/bytes';
import { formatAgo, formatClock } from '$lib/format/time';

/** What the dialogs for files of a volume are given. */
export interface VolumeDialog {
  session: Session;
  volume: SessionVolume;
  onclose: () => void;
}

/** How a volume stands, in a few words. */
export function standing(state: VolumeState, now: number): { tone: StatusTone; word: string } {
  switch (state.state) {
    case 'waiting':
      return { tone: 'busy', word: 'Coming' };
    case 'fresh':
      return { tone: 'good', word: `As in the pod, since ${formatAgo(state.since, now)}` };
    case 'onDemand':
      return { tone: 'neutral', word: 'On demand' };
    case 'fetching': {
      const of = state.total === null ? '' : ` of ${formatBytes(state.total)}`;
      return { tone: 'busy', word: `Fetching, ${formatBytes(state.bytes)}${of}` };
    }
    case 'fetched': {
      const files = state.files === 1 ? '1 file' : `${formatCount(state.files)} files`;
      const much = formatBytes(state.bytes);
      return { tone: 'good', word: `${files}, ${much}, fetched ${formatAgo(state.at, now)}` };
    }
    case 'failed':
      return { tone: 'bad', word: 'Failed' };
    case 'left':
      return { tone: 'neutral', word: 'Stays in the cluster' };
  }
}

/** How much of a copy is done, from 0 to 1; null: not known. */
export function share({ bytes, total }: { bytes: number; total: number | null }): number | null {
  return total === null || total === 0 ? null : Math.min(1, bytes / total);
}

/** A file’s size and when it was changed, in a few words. */
export function described(file: FileState, now: number): string {
  const at = `${formatAgo(file.modified, now)} (${formatClock(file.modified)})`;
  return `${formatBytes(file.size)}, changed ${at}`;
}

/** A path in a volume, from a directory and a name; the top is empty. */
export function joined(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** The directories above a path, the top first, each with its name. */
export function crumbs(directory: string, top: string): { path: string; name: string }[] {
  const names = directory === '' ? [] : directory.split('/');
  return [
    { path: '', name: top },
    ...names.map((name, index) => ({ path: names.slice(0, index + 1).join('/'), name })),
  ];
}

export const KINDS: Record<VolumeEntry['kind'], string> = {
  file: 'file',
  directory: 'directory',
  link: 'link',
  special: 'not copied',
};
