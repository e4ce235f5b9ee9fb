import type { LogLine, LogPage, LogQuery } from '../types';

/** As the application keeps them. */
export const CAPACITY = 50_000;

/** The lines of a log: the newest 50,000, asked for by pages, as `Backend.logs` says. */
export class LogRing {
  #lines: LogLine[] = [];
  #next = 1;
  #dropped = 0;

  get next(): number {
    return this.#next;
  }

  push(lines: Omit<LogLine, 'number' | 'matches'>[]): void {
    for (const line of lines) this.#lines.push({ ...line, number: this.#next++, matches: false });
    const over = this.#lines.length - CAPACITY;
    if (over <= 0) return;
    this.#lines.splice(0, over);
    this.#dropped += over;
  }

  page(query: LogQuery): LogPage {
    const search = query.search.toLowerCase();
    const hit = (line: LogLine) => search !== '' && line.text.toLowerCase().includes(search);
    let shown = this.#lines;
    if (query.sources.length > 0)
      shown = shown.filter((line) => query.sources.includes(line.source));
    let matches = 0;
    if (search !== '') {
      const hits = shown.filter(hit);
      matches = hits.length;
      if (query.onlyMatches) shown = hits;
    } else if (query.onlyMatches) {
      shown = [];
    }
    const limit = Math.min(query.limit, 1000);
    const offset = query.offset ?? Math.max(0, shown.length - limit);
    return {
      shown: shown.length,
      offset,
      matches,
      next: this.#next,
      dropped: this.#dropped,
      lines: shown.slice(offset, offset + limit).map((line) => ({ ...line, matches: hit(line) })),
    };
  }
}
