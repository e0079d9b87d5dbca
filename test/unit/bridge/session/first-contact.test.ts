import { expect, test } from 'vitest';
import { FirstContact } from '../../../../src/bridge/session/first-contact.ts';
import { systemClock } from '../../../../src/platform/clock.ts';

/** Longer than a test may take: what waits for it fails by its time limit. */
const FOREVER_MS = 1_000_000;
const never = new AbortController().signal;

/** Whether a wait is over when everything that can go on without an event has gone on. */
async function isOver(wait: Promise<void>): Promise<boolean> {
  let over = false;
  void wait.finally(() => {
    over = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return over;
}

test('waits for nothing before initialize is sent', async () => {
  await new FirstContact().whileUnderWay(FOREVER_MS, systemClock, never);
});

test('waits for a pending response until it arrives', async () => {
  const contact = new FirstContact();
  contact.sent();
  const wait = contact.whileUnderWay(FOREVER_MS, systemClock, never);
  expect(await isOver(wait)).toBe(false);
  contact.returned();
  await wait;
  await contact.whileUnderWay(FOREVER_MS, systemClock, never);
});

test('waits for the next attempt in turn', async () => {
  const contact = new FirstContact();
  contact.sent();
  contact.returned();
  contact.sent();
  const wait = contact.whileUnderWay(FOREVER_MS, systemClock, never);
  expect(await isOver(wait)).toBe(false);
  contact.returned();
  await wait;
});

test('waits no longer than its limit', async () => {
  const contact = new FirstContact();
  contact.sent();
  await contact.whileUnderWay(1, systemClock, never);
});

test('ends the wait on a stop, with its reason', async () => {
  const contact = new FirstContact();
  contact.sent();
  const stop = new AbortController();
  const wait = contact.whileUnderWay(FOREVER_MS, systemClock, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(wait).rejects.toThrow('stopped');
});
