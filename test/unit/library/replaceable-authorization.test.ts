import { expect, test } from 'vitest';
import type { Authorization, Recovery } from '../../../src/auth/authorization.ts';
import { ReplaceableAuthorization } from '../../../src/library/fetch/replaceable-authorization.ts';

const BEARER = { token: 'A0' };
const { signal } = new AbortController();

/** A promise, and what settles it. */
function resolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

/** An authorization whose recovery ends as the test says, and what was done to it. */
function recorded() {
  const recovery = resolvers<Recovery>();
  const done: string[] = [];
  const inner: Authorization = {
    current: () => BEARER,
    recover: () => recovery.promise,
    close: () => void done.push('closed'),
  };
  const replaceable = new ReplaceableAuthorization(inner);
  return { replaceable, recovery, done, onClosed: () => void done.push('told') };
}

test('without a call that waits, it is closed at once', async () => {
  const { replaceable, done, onClosed } = recorded();
  expect(replaceable.current(signal)).toBe(BEARER);
  replaceable.replaced(onClosed);
  await expect.poll(() => done).toEqual(['closed', 'told']);
  await replaceable.close();
  expect(done).toEqual(['closed', 'told']);
});

test('a call that waits gets its token first', async () => {
  const { replaceable, recovery, done, onClosed } = recorded();
  const calls = [
    replaceable.recover(undefined, undefined, signal),
    replaceable.recover(undefined, undefined, signal),
  ];
  replaceable.replaced(onClosed);
  expect(done).toEqual([]);
  recovery.resolve({ kind: 'retry', bearer: BEARER });
  expect(await Promise.all(calls)).toEqual(calls.map(() => ({ kind: 'retry', bearer: BEARER })));
  await expect.poll(() => done).toEqual(['closed', 'told']);
});

test('a call that fails does not keep it, nor is its error lost', async () => {
  const { replaceable, recovery, done, onClosed } = recorded();
  const call = replaceable.recover(undefined, undefined, signal);
  replaceable.replaced(onClosed);
  recovery.reject(new Error('away'));
  await expect(call).rejects.toThrow('away');
  await expect.poll(() => done).toEqual(['closed', 'told']);
});

test('a sign-in that somebody waits for goes on to its end', async () => {
  const { replaceable, recovery, done, onClosed } = recorded();
  const call = replaceable.recover(undefined, undefined, signal);
  const signIn = resolvers<typeof BEARER>();
  recovery.resolve({
    kind: 'sign-in',
    signIn: { address: undefined, deadline: undefined, onAddress: () => {}, done: signIn.promise },
  });
  expect((await call).kind).toBe('sign-in');
  replaceable.replaced(onClosed);
  expect(done).toEqual([]);
  signIn.resolve(BEARER);
  await expect.poll(() => done).toEqual(['closed', 'told']);
});
