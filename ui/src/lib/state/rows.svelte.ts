import { SvelteMap } from 'svelte/reactivity';
import { asReport } from '$lib/components/report';
import type { Backend } from '$lib/backend';
import type { Report, Row, RowsQuery } from '$lib/backend/types';

/** What the pages are of. */
export type RowsOf = Omit<RowsQuery, 'offset' | 'limit'>;

/** Rows to a page; a page is what is asked for at once. */
export const PAGE = 200;
/** Milliseconds between two readings while rows keep changing. */
const REST = 200;

/**
 * A table's rows, by pages, as far as they are in sight. What is on screen stays until its successor
 * is there, so that neither a keystroke in the filter nor a change in the cluster makes it blink.
 */
export class RowPages {
  matched = $state(0);
  total = $state(0);
  /** Whether the first page of the present query has come. */
  loaded = $state(false);
  failed = $state.raw<Report | null>(null);

  #pages = new SvelteMap<number, Row[]>();
  #of: RowsOf | null = null;
  /** Counts queries: an answer to an earlier one is thrown away. */
  #query = 0;
  #seen = { first: 0, last: 0 };
  // Bookkeeping that nothing on screen depends on.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  #asked = new Set<number>();
  /** The revision that each page shows. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  #revisions = new Map<number, number>();
  /** The newest revision that was heard of. */
  #newest = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again = false;

  constructor(readonly backend: () => Pick<Backend, 'rows'>) {}

  at(index: number): Row | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** The place of a row among those that are loaded; -1 if it is not. */
  indexOf(key: string): number {
    for (const [page, rows] of this.#pages) {
      const index = rows.findIndex((row) => row.key === key);
      if (index >= 0) return page * PAGE + index;
    }
    return -1;
  }

  /** Asks something else; the rows on screen stay until the answer comes. */
  ask(of: RowsOf): void {
    const anotherTable = of.context !== this.#of?.context || of.table !== this.#of?.table;
    this.#of = of;
    this.#query += 1;
    this.#asked.clear();
    this.#revisions.clear();
    this.#seen = { first: 0, last: 0 };
    if (anotherTable) {
      this.loaded = false;
      this.matched = 0;
      this.#pages.clear();
      this.#newest = 0;
    }
    this.#fetch(0, true);
  }

  /** These rows are in sight now. */
  see(first: number, last: number): void {
    this.#seen = { first, last };
    this.#read();
  }

  /** The table has this revision now; reads again what is in sight and older, five times a second at most. */
  refresh(revision: number): void {
    this.#newest = Math.max(this.#newest, revision);
    if (!this.#of) return;
    if (this.#timer !== null) {
      this.#again = true;
      return;
    }
    this.#read();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (!this.#again) return;
      this.#again = false;
      this.refresh(this.#newest);
    }, REST);
  }

  retry(): void {
    this.failed = null;
    this.#asked.clear();
    this.#fetch(0, true);
  }

  /** No more reading. */
  close(): void {
    this.#query += 1;
    this.#of = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #read(): void {
    const from = Math.floor(this.#seen.first / PAGE);
    const to = Math.floor(this.#seen.last / PAGE);
    for (let page = from; page <= to; page++) {
      const shown = this.#revisions.get(page);
      if (shown === undefined || shown < this.#newest) this.#fetch(page, false);
    }
  }

  #fetch(page: number, begins: boolean): void {
    const of = this.#of;
    if (!of || this.#asked.has(page)) return;
    this.#asked.add(page);
    const query = this.#query;
    this.backend()
      .rows({ ...of, offset: page * PAGE, limit: PAGE })
      .then((answer) => {
        if (query !== this.#query) return;
        this.#asked.delete(page);
        if (begins) this.#pages.clear();
        this.#pages.set(page, answer.rows);
        this.#revisions.set(page, answer.revision);
        this.matched = answer.matched;
        this.total = answer.total;
        this.loaded = true;
        this.failed = null;
        // It may have changed again while this was read.
        if (answer.revision < this.#newest) this.refresh(this.#newest);
      })
      .catch((thrown: unknown) => {
        if (query !== this.#query) return;
        this.#asked.delete(page);
        this.failed = asReport(thrown);
      });
  }
}
