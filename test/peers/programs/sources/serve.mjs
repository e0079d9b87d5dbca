import { createInterface } from 'node:readline';

/** Options of a program with a person in front of it: a page opens, and the call waits for the sign-in. */
export const ASKING = { noBrowser: false, wait: true };

/**
 * Answers the test, which asks with a line of JSON-RPC for each call of the tool `echo`. At the end of stdin it closes what it has; the
 * process then ends by itself, or something was left behind.
 */
export async function serve({ call, close }) {
  const calls = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, params } = JSON.parse(line);
    calls.push(
      call(params.value).then(
        (result) => answer({ id, result }),
        (error) => answer({ id, error: { code: 1, message: told(error), data: { code: error?.code } } }),
      ),
    );
  }
  await Promise.all(calls);
  await close();
}

function answer(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function told(error) {
  const cause = error?.cause === undefined ? '' : ` (${told(error.cause)})`;
  return `${error?.name}: ${error?.message}${cause}`;
}

/** What it makes with the first call, so that a sign-in counts to that call. */
export function once(make) {
  let made;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
