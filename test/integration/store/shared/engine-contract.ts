import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Engine, MAX_CELL_BYTES, type Put } from '../../../../src/store/shared/engine.ts';
import { Journal } from '../../../peers/net/journal.ts';

/** An engine that runs, and what a test can do to it. */
export interface EngineUnderTest extends AsyncDisposable {
  /** One more connection, as another process has it. */
  connect(): Promise<Engine>;
  /** The server ends and starts again with what it had; connections are lost. */
  restart(): Promise<void>;
  /** The server ends, and nobody answers until `restart`. */
  stop(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (body: Uint8Array | undefined): string | undefined => body && Buffer.from(body).toString();
const newCell = (): string => `test:${randomBytes(16).toString('hex')}:c`;
/** Long enough for a reconnection, and not waited for where the event comes. */
const PATIENCE_MS = 20_000;

/** What every engine has to keep. `start` starts one for each test. */
export function engineContract(name: string, start: () => Promise<EngineUnderTest>): void {
  describe(name, () => {
    test('a value is absent, then the last one put', async () => {
      await using under = await start();
      const engine = await under.connect();
      const cell = newCell();
      const absent = await engine.get(cell);
      expect(absent).toMatchObject({ seq: 0 });
      expect(absent.body).toBeUndefined();
      const first = await engine.put(cell, bytes('one'), absent, false);
      expect(first).toMatchObject({ kind: 'written', cell: { seq: 1 } });
      expect((await engine.put(cell, bytes('two'), first.cell, false)).cell.seq).toBe(2);
      const found = await engine.get(cell);
      expect([found.seq, text(found.body)]).toEqual([2, 'two']);
    });

    test('a value gets the number that its writer has chosen, and the next one goes on from there', async () => {
      await using under = await start();
      const engine = await under.connect();
      const cell = newCell();
      const next = 1_767_225_600_123;
      const first = await engine.put(cell, bytes('one'), { ...(await engine.get(cell)), next }, false);
      expect(first).toMatchObject({ kind: 'written', cell: { seq: next } });
      expect((await engine.get(cell)).seq).toBe(next);
      expect((await engine.put(cell, bytes('two'), first.cell, false)).cell.seq).toBe(next + 1);
    });

    test('the second writer gets the current value, and changes nothing', async () => {
      await using under = await start();
      const engine = await under.connect();
      const cell = newCell();
      const absent = await engine.get(cell);
      await engine.put(cell, bytes('first'), absent, false);
      const second = await engine.put(cell, bytes('second'), absent, false);
      expect([second.kind, second.cell.seq, text(second.cell.body)]).toEqual(['superseded', 1, 'first']);
      expect(text((await engine.get(cell)).body)).toBe('first');
    });

    test('of 64 concurrent writers of one value one wins, on each revision', async () => {
      await using under = await start();
      const engines = await Promise.all(Array.from({ length: 4 }, () => under.connect()));
      const cell = newCell();
      for (let round = 0; round < 3; round++) {
        const seen = await (engines[0] as Engine).get(cell);
        const puts = Array.from({ length: 64 }, (_, n) =>
          (engines[n % engines.length] as Engine).put(cell, bytes(`${round}/${n}`), seen, true),
        );
        const answers = await Promise.all(puts);
        const winners = answers.flatMap((answer, n) => (answer.kind === 'written' ? [n] : []));
        expect(winners).toHaveLength(1);
        expect(text((await (engines[1] as Engine).get(cell)).body)).toBe(`${round}/${winners[0]}`);
      }
    });

    test('another epoch is refused, like another revision; an undefined epoch is not compared', async () => {
      await using under = await start();
      const engine = await under.connect();
      const cell = newCell();
      const { seq } = await engine.get(cell);
      const refused = await engine.put(cell, bytes('x'), { seq, epoch: 'another' }, false);
      expect(refused).toMatchObject({ kind: 'superseded', cell: { seq: 0 } });
      expect((await engine.put(cell, bytes('x'), { seq, epoch: undefined }, false)).kind).toBe('written');
    });

    test('the epoch stays the same for all clients while the server runs, and changes on a restart', async () => {
      await using under = await start();
      const [one, other] = [await under.connect(), await under.connect()];
      const cell = newCell();
      const before = await one.get(cell);
      expect((await other.get(newCell())).epoch).toBe(before.epoch);
      expect((await one.put(cell, bytes('x'), before, false)).cell.epoch).toBe(before.epoch);
      await under.restart();
      const after = await answered(() => other.get(cell));
      expect(after.epoch).not.toBe(before.epoch);
      const late = await answered(() => one.put(cell, bytes('late'), { ...before, seq: after.seq }, false));
      expect(late.kind).toBe('superseded');
    });

    test("the clock is the server's, and advances", async () => {
      await using under = await start();
      const engine = await under.connect();
      const [first, second] = [await engine.get(newCell()), await engine.get(newCell())];
      expect(second.now).toBeGreaterThanOrEqual(first.now);
      expect(Math.abs(first.now - Date.now())).toBeLessThan(60_000);
    });

    test('the largest cell comes back byte for byte', async () => {
      await using under = await start();
      const engine = await under.connect();
      const cell = newCell();
      const body = new Uint8Array(randomBytes(MAX_CELL_BYTES));
      await engine.put(cell, body, await engine.get(cell), true);
      const found = await engine.get(cell);
      expect(Buffer.compare(found.body ?? new Uint8Array(), body)).toBe(0);
    });

    test('watchers of a cell are notified of a change, also of their own, and not after they stop', async () => {
      await using under = await start();
      const [writer, watcher] = [await under.connect(), await under.connect()];
      const [cell, another] = [newCell(), newCell()];
      const seen = new Journal<string>();
      const end = watcher.watch(cell, () => seen.add('watched'));
      const endAnother = watcher.watch(another, () => seen.add('another'));
      await toldUntil(writer, cell, () => seen.count((each) => each === 'watched') > 0);
      end();
      const count = seen.count((each) => each === 'watched');
      await writer.put(cell, bytes('unwatched'), await writer.get(cell), true);
      // Told in order: what is heard of this one comes after what would have been heard of that one.
      await toldUntil(writer, another, () => seen.count((each) => each === 'another') > 0);
      expect(seen.count((each) => each === 'watched')).toBe(count);
      endAnother();
    });

    test('watchers are notified after a lost connection', async () => {
      await using under = await start();
      const watcher = await under.connect();
      const cell = newCell();
      const seen = new Journal<string>();
      const end = watcher.watch(cell, () => seen.add('changed'));
      await toldUntil(await under.connect(), cell, () => seen.count() > 0);
      const from = seen.entries.length;
      await under.restart();
      await seen.waitFor(() => true, { from });
      end();
    });

    test('an unavailable engine causes an error with its address, and no unexpected one', async () => {
      await using under = await start();
      const engine = await under.connect();
      const cell = newCell();
      const before = await engine.get(cell);
      await under.stop();
      await expect(engine.get(cell)).rejects.toMatchObject({ code: 'store_away', applied: 'no' });
      const put = engine.put(cell, bytes('x'), before, false);
      await expect(put).rejects.toMatchObject({ code: 'store_away' });
      await expect(engine.get(cell)).rejects.toThrow(engine.place);
      expect(await engine.isPrimary(200)).toBe(false);
      await under.restart();
      await answered(() => engine.get(cell));
      expect(await engine.isPrimary(2_000)).toBe(true);
    });

    test('it describes itself', async () => {
      await using under = await start();
      const engine = await under.connect();
      const { epoch } = await engine.get(newCell());
      const described = await engine.describe();
      expect(described.engine).not.toBe('');
      expect(described.epoch).toBe(epoch);
      expect(described.roundTripMs).toBeGreaterThanOrEqual(0);
    });

    test('an expired value is gone by its end, and its successor stays', async () => {
      await using under = await start();
      const engine = await under.connect();
      const [short, long] = [newCell(), newCell()];
      const put = await engine.put(short, bytes('x'), await engine.get(short), false, 50);
      expect(put.kind).toBe('written');
      const first = await engine.put(long, bytes('x'), await engine.get(long), false, 60_000);
      await engine.put(long, bytes('y'), first.cell, false);
      await until(async () => (await engine.get(short)).seq === 0);
      expect(text((await engine.get(long)).body)).toBe('y');
    });
  });
}

/** A subscription may take a moment: tells until it is heard. */
async function toldUntil(writer: Engine, cell: string, isHeard: () => boolean): Promise<void> {
  await until(async () => {
    await writer.put(cell, bytes('told'), await writer.get(cell), true);
    return isHeard();
  });
}

/** Asks until an answer comes. */
export async function answered<T extends Put | Awaited<ReturnType<Engine['get']>>>(
  ask: () => Promise<T>,
): Promise<T> {
  let answer: T | undefined;
  await until(async () => {
    answer = await ask().catch(() => undefined);
    return answer !== undefined;
  });
  return answer as T;
}

async function until(isReached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isReached())) {
    if (performance.now() > end) throw new Error('not reached in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
