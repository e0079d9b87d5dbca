import type { StoreKeys } from '../../config/config.ts';
import { ENVIRONMENT_PREFIX } from '../../config/options/option.ts';
import { KEYS_WANTED, keysIn } from '../../config/options/store-checks.ts';
import type { Environment } from '../../config/sources/environment.ts';
import { ConfigError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { runProgram } from '../../platform/process/run-program.ts';
import { quote } from '../../protocol/quote.ts';
import { redactor } from '../../redaction/secrets.ts';
import { keySpellings } from './setting-secrets.ts';

/** A program that asks a service over the network, once in the life of a process. */
const COMMAND_LIMIT_MS = 10_000;
/** A program that failed is not started again with each call of a host. */
const PAUSE_MS = 5_000;

/**
 * Returns a function that resolves with the secrets of the store's keys, of which the first one seals. A program that prints them is run when they
 * are first asked for, and again after it has failed. The function rejects with ConfigError, which does not quote what the program printed.
 */
export function storeSecrets(
  keys: StoreKeys,
  { env, clock }: { readonly env: Environment; readonly clock: Pick<Clock, 'monotonic'> },
): () => Promise<readonly Uint8Array[]> {
  if (keys.kind === 'secrets') return async () => keys.secrets;
  let asked: { readonly answer: Promise<readonly Uint8Array[]>; failedAt?: number } | undefined;
  return () => {
    const { failedAt } = asked ?? {};
    if (asked !== undefined && (failedAt === undefined || clock.monotonic() - failedAt < PAUSE_MS))
      return asked.answer;
    const asking: typeof asked = { answer: runKeyCommand(keys.words, env) };
    asking.answer.catch(() => {
      asking.failedAt = clock.monotonic();
    });
    asked = asking;
    return asking.answer;
  };
}

async function runKeyCommand(words: readonly string[], env: Environment): Promise<readonly Uint8Array[]> {
  const [command = '', ...args] = words;
  // It may need any variable of its own; ours may hold a token, a login or the password of the store.
  const own = Object.entries(env).filter(([name]) => !name.toUpperCase().startsWith(ENVIRONMENT_PREFIX));
  const end = await runProgram(command, args, { env: Object.fromEntries(own), limitMs: COMMAND_LIMIT_MS });
  const what = `--store-key-command: ${quote(command)}`;
  if (end.kind === 'failed')
    throw new ConfigError(`${what} ${end.reason}`, { hint: 'run the command in a terminal to see why' });
  const secrets = keysIn(end.stdout);
  if (secrets === undefined) throw new ConfigError(`${what} printed no key: expected ${KEYS_WANTED}`);
  for (const each of secrets.flatMap(keySpellings)) redactor.add(each);
  return secrets;
}
