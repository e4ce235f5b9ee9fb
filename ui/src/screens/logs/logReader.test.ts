import { beforeEach, describe, expect, test, vi } from 'vitest';
import { LogRing } from '$lib/backend/fake/logRing';
import type { LogQuery, LogSource } from '$lib/backend/types';
import { LogReader, PACE } from './logReader.svelte';

let ring: LogRing;
let asked: LogQuery[];
let reader: LogReader;
let time: number;
let due: { at: number; run: () => void }[];

function write(count: number, text = 'line', source: LogSource = 'programOut'): void {
  ring.push(
    Array.from({ length: count }, (_, index) => ({
      time: 0,
      source,
      origin: '',
      text: `${text} ${ring.next + index}`,
      cutFrom: null,
    })),
  );
  reader?.poke();
}

/** Lets time pass until nothing is left to be done. */
async function settle(milliseconds = 1000): Promise<void> {
  const until = time + milliseconds;
  for (;;) {
    await new Promise<void>((done) => setImmediate(done));
    const next = due.toSorted((one, other) => one.at - other.at)[0];
    if (!next || next.at > until) break;
    time = Math.max(time, next.at);
    due = due.filter((other) => other !== next);
    next.run();
  }
  time = until;
}

beforeEach(() => {
  ring = new LogRing();
  asked = [];
  time = 0;
  due = [];
  reader = new LogReader('log', {
    read: async (query) => {
      asked.push(query);
      return ring.page(query);
    },
    now: () => time,
    after: (milliseconds, run) => due.push({ at: time + milliseconds, run }),
  });
});

const numbers = () => reader.lines.map((line) => line.number);

describe('following', () => {
  test('shows the last lines, and those that come', async () => {
    write(1000);
    await settle();
    expect(numbers().at(-1)).toBe(1000);
    write(5);
    await settle();
    expect(numbers().at(-1)).toBe(1005);
    expect(reader.shown).toBe(1005);
  });

  test('however many lines come, it asks at most every 100 ms', async () => {
    for (let burst = 0; burst < 100; burst++) {
      write(200);
      await settle(10);
    }
    expect(asked.length).toBeLessThanOrEqual(1000 / PACE + 1);
    await settle();
    expect(numbers().at(-1)).toBe(20_000);
    expect(reader.lines.length).toBeLessThanOrEqual(120);
    expect(reader.rushing).toBe(true);
  });
});

describe('reading further up', () => {
  beforeEach(async () => {
    write(2000);
    await settle();
    reader.pause();
    reader.anchor = 1950;
  });

  test('new lines are counted and not drawn', async () => {
    const before = numbers();
    write(321);
    await settle();
    expect(reader.news).toBe(321);
    expect(numbers()).toEqual(before);
    expect(reader.shown).toBe(2321);
  });

  test('following again shows them', async () => {
    write(10);
    await settle();
    reader.follow();
    await settle();
    expect(reader.news).toBe(0);
    expect(numbers().at(-1)).toBe(2010);
  });

  test('the lines around a place are brought', async () => {
    reader.show(500);
    await settle();
    expect(numbers()).toContain(501);
    expect(reader.first).toBeLessThan(500);
    expect(reader.lines.length).toBeLessThanOrEqual(200);
  });

  test('the place is found again when the ring has moved', async () => {
    write(49_000);
    await settle();
    expect(reader.dropped).toBe(1000);
    expect(numbers()).toContain(1950);
    expect(reader.first + reader.lines.findIndex((line) => line.number === 1950)).toBe(949);
  });

  test('when the ring has let the place go, the first lines are shown', async () => {
    write(60_000);
    await settle();
    expect(reader.first).toBe(0);
    expect(numbers()[0]).toBe(12_001);
  });

  test('a page that was on its way does not take the place away', async () => {
    reader.follow();
    reader.pause();
    write(1000);
    await settle();
    expect(numbers().at(-1)).toBe(2000);
  });
});

describe('filters', () => {
  beforeEach(async () => {
    for (let round = 0; round < 100; round++) {
      write(9);
      write(1, 'needle', 'programErr');
    }
    await settle();
  });

  test('only matches, and how many there are', async () => {
    reader.setFilter({ search: 'NEEDLE', onlyMatches: true });
    await settle();
    expect(reader.shown).toBe(100);
    expect(reader.matches).toBe(100);
    expect(reader.lines.every((line) => line.matches)).toBe(true);
  });

  test('sources', async () => {
    reader.setFilter({ sources: ['programErr'] });
    await settle();
    expect(reader.shown).toBe(100);
    expect(reader.matches).toBe(0);
  });

  test('the place stays when a filter comes', async () => {
    reader.pause();
    reader.anchor = 505;
    reader.setFilter({ sources: ['programErr'] });
    await settle();
    expect(numbers()).toContain(510);
    expect(reader.following).toBe(false);
  });

  test('news under a filter are lines of the filter', async () => {
    reader.setFilter({ sources: ['programErr'] });
    await settle();
    reader.pause();
    write(50);
    write(2, 'late', 'programErr');
    await settle();
    expect(reader.news).toBe(2);
  });

  test('news that cannot be counted are told without a number', async () => {
    reader.setFilter({ sources: ['programErr'] });
    await settle();
    reader.pause();
    write(50_000);
    await settle();
    expect(reader.news).toBeNull();
  });

  test('what answers an earlier filter is not shown', async () => {
    reader.setFilter({ search: 'nee', onlyMatches: true });
    reader.setFilter({ search: '', onlyMatches: false });
    await settle();
    expect(reader.shown).toBe(1000);
  });
});

describe('stepping through matches', () => {
  beforeEach(async () => {
    for (let round = 0; round < 20; round++) {
      write(49);
      write(1, 'needle');
    }
    reader.setFilter({ search: 'needle' });
    await settle();
  });

  async function step(direction: 1 | -1): Promise<number | null> {
    await reader.step(direction);
    await settle();
    return reader.current;
  }

  test('from the end it begins with the last, and goes back', async () => {
    expect(await step(1)).toBe(1000);
    expect(await step(-1)).toBe(950);
    expect(await step(-1)).toBe(900);
    expect(numbers()).toContain(900);
    expect(reader.following).toBe(false);
  });

  test('at the ends it begins again', async () => {
    expect(await step(1)).toBe(1000);
    expect(await step(1)).toBe(50);
    expect(await step(-1)).toBe(1000);
  });

  test('from where the user reads', async () => {
    reader.pause();
    reader.anchor = 320;
    expect(await step(1)).toBe(350);
    expect(await step(1)).toBe(400);
  });

  test('nothing matches: it stays', async () => {
    reader.setFilter({ search: 'no such thing' });
    await settle();
    expect(await step(1)).toBeNull();
    expect(reader.following).toBe(true);
  });
});

test('a log that cannot be read is told, and read again', async () => {
  const failure = { code: 'internal', message: 'no', hint: null, detail: null };
  const page = vi.spyOn(ring, 'page').mockImplementation(() => {
    throw failure;
  });
  reader.poke();
  await settle();
  expect(reader.problem).toEqual(failure);
  expect(reader.loaded).toBe(false);
  page.mockRestore();
  write(3);
  await settle();
  expect(reader.problem).toBeNull();
  expect(numbers()).toEqual([1, 2, 3]);
});

test('export asks for what is shown', () => {
  reader.setFilter({ search: 'x', onlyMatches: true, sources: ['agent'] });
  expect(reader.query(0, 1000)).toEqual({
    log: 'log',
    search: 'x',
    onlyMatches: true,
    sources: ['agent'],
    offset: 0,
    limit: 1000,
  });
});
