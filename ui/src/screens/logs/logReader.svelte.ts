import type { LogLine, LogPage, LogQuery, LogSource, Report } from '$lib/backend/types';
import { asReport } from '$lib/components/report';
import { locate } from './locate';
import { Paced, type Ticks } from './paced';

/** What the reader needs of the world; a test gives its own. */
export interface LogAccess extends Ticks {
  read(query: LogQuery): Promise<LogPage>;
}

/** Which lines are wanted. */
export interface LogFilter {
  sources: LogSource[];
  search: string;
  onlyMatches: boolean;
}

/** The log is asked at most this often, in milliseconds. */
export const PACE = 100;
/** While the user reads and nothing follows, only the counters move. */
export const PACE_PAUSED = 300;
/** More new lines than this between two answers are a rush. */
const RUSH = 10;
const SMALLEST_WINDOW = 120;
const LARGEST_PAGE = 1000;

type Wanted =
  | { what: 'end' }
  | { what: 'counters' }
  | { what: 'place'; number: number }
  | { what: 'around'; index: number };

interface Counters {
  next: number;
  shown: number;
  dropped: number;
}

/**
 * A window on a log that stays in Rust: knows which lines are on screen, follows the end, and finds its
 * place again when the ring has let lines go.
 */
export class LogReader {
  /** The lines that are there to be drawn; `first` is the place of the first of them among `shown`. */
  lines = $state.raw<LogLine[]>([]);
  first = $state(0);
  shown = $state(0);
  matches = $state(0);
  dropped = $state(0);
  /** Whether an answer has come. */
  loaded = $state(false);
  following = $state(true);
  /** Lines come faster than anybody could listen to them. */
  rushing = $state(false);
  /** The number of the match that was stepped to. */
  current = $state<number | null>(null);
  problem = $state.raw<Report | null>(null);
  filter = $state.raw<LogFilter>({ sources: [], search: '', onlyMatches: false });

  /** The number of the topmost line on screen: what stays where it is when lines come and go. */
  anchor: number | null = null;
  /** How many lines fit on the screen. */
  visible = 40;

  /** Lines that came since following ended; null: some came, how many cannot be known. */
  readonly news = $derived.by<number | null>(() => {
    if (this.following || !this.#paused) return 0;
    const { next, shown, dropped } = this.#paused;
    const filtered = this.filter.sources.length > 0 || this.filter.onlyMatches;
    if (!filtered) return this.#next - next;
    return dropped === this.dropped ? Math.max(0, this.shown - shown) : null;
  });

  readonly #log: string;
  readonly #access: LogAccess;
  readonly #questions: Paced<Wanted>;
  #next = $state(0);
  #paused = $state.raw<Counters | null>(null);
  /** Another filter counts anew. */
  #recount = false;

  constructor(log: string, access: LogAccess) {
    this.#log = log;
    this.#access = access;
    this.#questions = new Paced(
      access,
      () => (this.following ? PACE : PACE_PAUSED),
      (wanted) => this.#answer(wanted),
    );
  }

  /** The query that shows what the reader shows, for export. */
  query(offset: number | null, limit: number): LogQuery {
    return { log: this.#log, ...this.filter, offset, limit };
  }

  /** The log has moved on. */
  poke(): void {
    if (this.#questions.pending) return;
    this.#questions.want({ what: this.following ? 'end' : 'counters' });
  }

  follow(): void {
    this.following = true;
    this.current = null;
    this.anchor = null;
    this.#paused = null;
    this.#questions.want({ what: 'end' }, 'now');
  }

  pause(): void {
    if (!this.following) return;
    this.following = false;
    this.#paused = { next: this.#next, shown: this.shown, dropped: this.dropped };
  }

  /** Brings the lines around a place. */
  show(index: number): void {
    this.#questions.want({ what: 'around', index }, 'now');
  }

  /** Shows other lines, and stays at the place where the user reads. */
  setFilter(filter: Partial<LogFilter>): void {
    this.filter = { ...this.filter, ...filter };
    this.current = null;
    this.#recount = true;
    if (this.following || this.anchor === null) this.follow();
    else this.#questions.want({ what: 'place', number: this.anchor }, 'now');
  }

  /**
   * Goes to the match after (1) or before (-1) the one that was stepped to last, else after or before the
   * topmost line. Where there is none further on, it begins again at the other end.
   */
  async step(direction: 1 | -1): Promise<void> {
    try {
      const number = await this.#nextMatch(direction);
      if (number === null) return;
      this.pause();
      this.current = number;
      this.anchor = number;
      this.#questions.want({ what: 'place', number }, 'now');
    } catch (thrown) {
      this.problem = asReport(thrown);
    }
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#questions.close();
  }

  async #nextMatch(direction: 1 | -1): Promise<number | null> {
    const read = (offset: number, limit: number) =>
      this.#access.read({ ...this.query(offset, limit), onlyMatches: true });
    const { shown } = await read(0, 1);
    if (shown === 0) return null;
    const from = this.current ?? (this.following ? null : this.anchor);
    let index = shown - 1;
    if (from !== null) {
      const beyond = direction === 1 && this.current !== null ? from + 1 : from;
      const place = await locate(read, beyond);
      index = direction === 1 ? place.index : place.index - 1;
    }
    const page = await read((index + shown) % shown, 1);
    return page.lines[0]?.number ?? null;
  }

  async #answer(wanted: Wanted): Promise<void> {
    try {
      if (wanted.what === 'end') await this.#end();
      else if (wanted.what === 'around') await this.#around(wanted.index);
      else if (wanted.what === 'place') await this.#place(wanted.number);
      else await this.#counters();
      this.problem = null;
    } catch (thrown) {
      this.problem = asReport(thrown);
    }
  }

  async #end(): Promise<void> {
    const answer = await this.#read(null, this.#window(2));
    // Meanwhile the user may have begun to read further up.
    if (this.following) this.#take(answer);
  }

  async #around(index: number): Promise<void> {
    const size = this.#window(5);
    this.#take(await this.#read(Math.max(0, index - Math.floor(size / 2)), size));
  }

  async #place(number: number): Promise<void> {
    const place = await locate(async (at, limit) => (await this.#read(at, limit)).page, number);
    await this.#around(place.index);
  }

  /** Reads one line to learn the counters, and finds the place again where the ring has moved below it. */
  async #counters(): Promise<void> {
    const probe = await this.#read(this.first, 1);
    const inPlace = probe.page.lines[0]?.number === this.lines[0]?.number;
    // Too few lines are drawn, and there are more by now: they belong on the screen.
    const lacking =
      this.lines.length < this.#window(2) && probe.page.shown > this.first + this.lines.length;
    if (inPlace && !lacking) return this.#count(probe.page);
    await this.#place(this.anchor ?? this.lines[0]?.number ?? 0);
  }

  async #read(offset: number | null, limit: number): Promise<{ filter: LogFilter; page: LogPage }> {
    const filter = this.filter;
    return { filter, page: await this.#access.read(this.query(offset, limit)) };
  }

  #window(screens: number): number {
    return Math.min(LARGEST_PAGE, Math.max(SMALLEST_WINDOW, this.visible * screens));
  }

  /** What answers an earlier filter is not shown under the present one. */
  #take({ filter, page }: { filter: LogFilter; page: LogPage }): void {
    if (filter !== this.filter) return;
    this.lines = page.lines;
    this.first = page.offset;
    this.#count(page);
    this.loaded = true;
  }

  #count(page: LogPage): void {
    this.rushing = this.loaded && page.next - this.#next > RUSH;
    this.shown = page.shown;
    this.matches = page.matches;
    this.dropped = page.dropped;
    this.#next = page.next;
    if (this.#recount && this.#paused) this.#paused = page;
    this.#recount = false;
  }
}
