import { expect, test, vi } from 'vitest';
import { abortSignal, anySignal, Stop, type StopSignal } from '../../../src/platform/stop.ts';

const makers: readonly [string, () => { signal: StopSignal; abort(reason?: unknown): void }][] = [
  ['Stop', () => new Stop()],
  ['AbortController', () => new AbortController()],
];

test.each(makers)('%s: calls each listener once with the reason, except removed ones', (_name, make) => {
  const stop = make();
  const told: string[] = [];
  const left = () => told.push('left');
  stop.signal.addEventListener('abort', () => told.push(String(stop.signal.reason)));
  stop.signal.addEventListener('abort', left);
  stop.signal.removeEventListener('abort', left);
  expect(stop.signal.aborted).toBe(false);
  stop.signal.throwIfAborted();
  stop.abort('first');
  stop.abort('second');
  expect(told).toEqual(['first']);
  expect(stop.signal.aborted).toBe(true);
  expect(() => stop.signal.throwIfAborted()).toThrow('first');
});

test.each(makers)('%s: without a reason it is an AbortError', (_name, make) => {
  const stop = make();
  stop.abort();
  expect(stop.signal.reason).toMatchObject({ name: 'AbortError' });
});

test.each(makers)('%s: works as an AbortSignal, before and after', (_name, make) => {
  const stop = make();
  const before = abortSignal(stop.signal);
  stop.abort('why');
  expect([before.reason, abortSignal(stop.signal).reason]).toEqual(['why', 'why']);
});

test('Stop: has one listener for all AbortSignals that are made of it', () => {
  const stop = new Stop();
  const added = vi.spyOn(stop.signal, 'addEventListener');
  const warned = vi.spyOn(process, 'emitWarning');
  const all = Array.from({ length: 20 }, () => anySignal([stop.signal, new AbortController().signal]));
  expect(added).toHaveBeenCalledTimes(1);
  for (const _ of all) abortSignal(stop.signal).addEventListener('abort', () => {});
  expect(warned).not.toHaveBeenCalled();
  stop.abort('why');
  expect(all.map(({ reason }) => reason)).toEqual(all.map(() => 'why'));
});

test('any: the first one decides, of whatever kind', () => {
  const [one, other] = [new Stop(), new AbortController()];
  const any = anySignal([one.signal, other.signal]);
  other.abort('other');
  one.abort('one');
  expect(any.reason).toBe('other');
  expect(anySignal([new AbortController().signal, one.signal]).reason).toBe('one');
});
