import { SvelteMap } from 'svelte/reactivity';
import type {
  App,
  Change,
  Cluster,
  Contexts,
  Frame,
  HelperState,
  Leftover,
  Notice,
  Place,
  Preferences,
  Profile,
  Session,
  TableKind,
} from '$lib/backend/types';

/** What a frame asks of the window beyond showing the new state. */
export interface Asked {
  notice(notice: Notice): void;
  navigate(to: Place): void;
  quit(stops: string[]): void;
}

const NO_CONTEXTS: Contexts = { contexts: [], broken: [], error: null, files: [] };

/** Everything that the window knows, fed by frames only: no screen changes it. */
export class AppState {
  /** Whether the first frame has come. */
  loaded = $state(false);
  version = $state('');
  platform = $state('linux');
  user = $state('');
  host = $state('');
  contexts = $state.raw<Contexts>(NO_CONTEXTS);
  clusters = $state.raw<Cluster[]>([]);
  sessions = $state.raw<Session[]>([]);
  profiles = $state.raw<Profile[]>([]);
  preferences = $state.raw<Preferences | null>(null);
  leftovers = $state.raw<Leftover[]>([]);
  helper = $state.raw<HelperState>({ state: 'idle' });
  /** When the last frame was made. */
  heard = $state(0);

  #revisions = new SvelteMap<string, number>();
  #logs = new SvelteMap<string, number>();

  cluster(context: string): Cluster | undefined {
    return this.clusters.find((cluster) => cluster.context === context);
  }

  session(id: string): Session | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  /** Moves on with every change of the table's rows. */
  revision(context: string, table: TableKind): number {
    return this.#revisions.get(`${table} ${context}`) ?? 0;
  }

  /** The number of the log's next line; moves on with every line. */
  logNext(log: string): number {
    return this.#logs.get(log) ?? 0;
  }

  take(frame: Frame, asked: Asked): void {
    this.heard = frame.time;
    for (const change of frame.changes) this.#apply(change, asked);
  }

  #apply(change: Change, asked: Asked): void {
    switch (change.kind) {
      case 'everything':
        return this.#everything(change.app);
      case 'contexts':
        this.contexts = change.contexts;
        return;
      case 'cluster':
        this.clusters = placed(this.clusters, change.cluster, 'context');
        return this.#noteRevisions(change.cluster);
      case 'clusterClosed':
        this.clusters = this.clusters.filter((cluster) => cluster.context !== change.context);
        return;
      case 'rows':
        this.#revisions.set(`${change.table} ${change.context}`, change.revision);
        return;
      case 'session':
        this.sessions = placed(this.sessions, change.session, 'id');
        return;
      case 'sessionGone':
        this.sessions = this.sessions.filter((session) => session.id !== change.id);
        return;
      case 'log':
        this.#logs.set(change.log, change.next);
        return;
      case 'profiles':
        this.profiles = change.profiles;
        return;
      case 'preferences':
        this.preferences = change.preferences;
        return;
      case 'leftovers':
        this.leftovers = change.leftovers;
        return;
      case 'helper':
        this.helper = change.helper;
        return;
      case 'notice':
        return asked.notice(change.notice);
      case 'navigate':
        return asked.navigate(change.to);
      case 'quitRequested':
        return asked.quit(change.stops);
      default:
        change satisfies never;
    }
  }

  #everything(app: App): void {
    this.version = app.version;
    this.platform = app.platform;
    this.user = app.user;
    this.host = app.host;
    this.contexts = app.contexts;
    this.clusters = app.clusters;
    this.sessions = app.sessions;
    this.profiles = app.profiles;
    this.preferences = app.preferences;
    this.leftovers = app.leftovers;
    this.helper = app.helper;
    for (const cluster of app.clusters) this.#noteRevisions(cluster);
    this.loaded = true;
  }

  #noteRevisions(cluster: Cluster): void {
    for (const { table, revision } of cluster.tables) {
      this.#revisions.set(`${table} ${cluster.context}`, revision);
    }
  }
}

/** The list with the item in the place of the one of the same key, else at the end. */
function placed<T, K extends keyof T>(list: T[], item: T, key: K): T[] {
  const index = list.findIndex((other) => other[key] === item[key]);
  return index < 0 ? [...list, item] : list.with(index, item);
}

export const app = new AppState();
