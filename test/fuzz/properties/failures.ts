import assert from 'node:assert/strict';
import { DrawbridgeError } from '../../../src/errors.ts';

/** Control, format, surrogate, private use, unassigned, and what breaks a line. */
const INVISIBLE = /[\p{C}\u2028\u2029]/u;
/** A few quotes of 200 characters and the words around them. */
const MAX_MESSAGE_CHARACTERS = 1_000;
const MAX_CAUSES = 8;

/** A failure that the program expects: of ours, with a code, and nothing in it that a terminal would act on (.github/SECURITY.md, attack 24). */
export function assertExpected(error: unknown): DrawbridgeError {
  if (!(error instanceof DrawbridgeError)) throw error;
  assert.match(error.code, /^[a-z_]+$/);
  let at: unknown = error;
  for (let depth = 0; at instanceof Error; depth++) {
    assert.ok(depth < MAX_CAUSES, 'causes without an end');
    assertShowable(at.message);
    if (at instanceof DrawbridgeError) assertShowable(at.hint ?? '');
    at = at.cause;
  }
  return error;
}

export function assertShowable(text: string): void {
  assert.ok(!INVISIBLE.test(text), `not to be shown: ${JSON.stringify(text)}`);
  assert.ok([...text].length <= MAX_MESSAGE_CHARACTERS, `${[...text].length} characters`);
}

/** What `run` gives, or undefined after a failure of ours; any other failure is the property's. */
export async function expectedOr<T>(run: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    assertExpected(error);
    return undefined;
  }
}
