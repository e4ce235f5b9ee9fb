import { expect, test } from 'vitest';
import { Paced } from './paced';

/** Time that only moves when it is told to. */
class Stopped {
  time = 0;
  #due: { at: number; run: () => void }[] = [];

  now = () => this.time;
  after = (milliseconds: number, run: () => void) => {
    this.#due.push({ at: this.time + milliseconds, run });
  };

  async pass(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    const ripe = this.#due.filter(({ at }) => at <= this.time);
    this.#due = this.#due.filter(({ at }) => at > this.time);
    for (const { run } of ripe) run();
    await settled();
  }
}

/** Everything that can go on without time passing has gone on. */
const settled = () => new Promise<void>((done) => setImmediate(done));

function recorder(ticks: Stopped, took = 0) {
  const done: string[] = [];
  const paced = new Paced<string>(
    ticks,
    () => 100,
    async (what) => {
      done.push(what);
      ticks.time += took;
    },
  );
  return { done, paced };
}

test('the first is done at once, and of many the last after the pause', async () => {
  const ticks = new Stopped();
  const { done, paced } = recorder(ticks);
  for (const what of ['a', 'b', 'c', 'd']) paced.want(what);
  await settled();
  expect(done).toEqual(['a']);
  await ticks.pass(99);
  expect(done).toEqual(['a']);
  await ticks.pass(1);
  expect(done).toEqual(['a', 'd']);
});

test('what the user waits for skips the pause', async () => {
  const ticks = new Stopped();
  const { done, paced } = recorder(ticks);
  paced.want('a');
  await settled();
  paced.want('b', 'now');
  await settled();
  expect(done).toEqual(['a', 'b']);
});

test('slow work makes longer pauses', async () => {
  const ticks = new Stopped();
  const { done, paced } = recorder(ticks, 80);
  paced.want('a');
  await settled();
  paced.want('b');
  // 80 ms are over; three times as long must pass since the beginning.
  await ticks.pass(100);
  expect(done).toEqual(['a']);
  await ticks.pass(60);
  expect(done).toEqual(['a', 'b']);
});

test('one at a time', async () => {
  const ticks = new Stopped();
  const finish: (() => void)[] = [];
  const begun: string[] = [];
  const paced = new Paced<string>(
    ticks,
    () => 0,
    (what) => {
      begun.push(what);
      return new Promise<void>((done) => finish.push(done));
    },
  );
  paced.want('a');
  paced.want('b', 'now');
  paced.want('c', 'now');
  await settled();
  expect(begun).toEqual(['a']);
  expect(paced.pending).toBe(true);
  finish[0]?.();
  await settled();
  expect(begun).toEqual(['a', 'c']);
});

test('nothing is done after it was closed', async () => {
  const ticks = new Stopped();
  const { done, paced } = recorder(ticks);
  paced.want('a');
  await settled();
  paced.want('b');
  paced.close();
  await ticks.pass(1000);
  expect(done).toEqual(['a']);
});
