import { type KeyFile, readKeyFile, type StoreKeys } from '../../config/config.ts';
import { ENVIRONMENT_PREFIX } from '../../config/options/option.ts';
import { KEYS_WANTED, keysIn, ONE_STORE_WANTED } from '../../config/options/store-checks.ts';
import type { Environment } from '../../config/sources/environment.ts';
import { fileMode, fileState, readSettingsFile } from '../../config/sources/read-file.ts';
import { ConfigError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { runProgram } from '../../platform/process/run-program.ts';
import { quote } from '../../protocol/quote.ts';
import { areOfOneStore } from '../../protocol/store/store-key.ts';
import { redactor } from '../../redaction/secrets.ts';
import type { LoadSecrets } from '../../store/sealing/envelope.ts';
import { keySpellings } from './setting-secrets.ts';

/** A program that queries a service over the network, once in the life of a process. */
const COMMAND_LIMIT_MS = 10_000;
/** A program that failed is not restarted for each call of a host. */
const PAUSE_MS = 5_000;
/** Nor is one whose keys do not open a login, while someone may still have to provide another key. */
const RENEW_MS = 60_000;

export interface StoreSecretsDeps {
  readonly env: Environment;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Returns a function that resolves with the secrets of the store's keys, of which the first one seals: the same array as before, unless they have changed. A
 * file is read again when it has changed; the last keys stay while it is unusable. A key program is run when the keys are first requested, again after it has
 * failed, and if a login is sealed under none of them (`isUnknown`). The function rejects with ConfigError, which does not quote the program's output.
 */
export function storeSecrets(keys: StoreKeys, deps: StoreSecretsDeps): LoadSecrets {
  if (keys.kind === 'command') return commandSecrets(keys.words, deps);
  const { secrets, file } = keys;
  return file === undefined ? async () => secrets : fileSecrets(file, secrets, deps);
}

function fileSecrets(
  { path: file, state: firstState }: KeyFile,
  read: readonly Uint8Array[],
  { logger }: StoreSecretsDeps,
): LoadSecrets {
  let secrets = read;
  let seen = firstState;
  return async () => {
    const state = fileState(file);
    if (state === seen || state === undefined) return secrets;
    seen = state;
    try {
      const found = readKeyFile(file, { readFile: readSettingsFile, modeOf: fileMode }, []);
      if (!areOfOneStore([...secrets, ...found])) throw new ConfigError(`expected ${ONE_STORE_WANTED}`);
      if (!areSame(found, secrets)) secrets = kept(found);
    } catch (error) {
      logger.warn('the keys of the shared store stay as they were', { error: describeError(error) });
    }
    return secrets;
  };
}

function commandSecrets(words: readonly string[], { env, clock }: StoreSecretsDeps): LoadSecrets {
  let asked: { readonly answer: Promise<readonly Uint8Array[]>; readonly at: number; failedAt?: number };
  let secrets: readonly Uint8Array[] | undefined;
  const ask = () => {
    const answer = runKeyCommand(words, env).then((found) => {
      if (!areOfOneStore([...(secrets ?? []), ...found]))
        throw new ConfigError(`--store-key-command: expected ${ONE_STORE_WANTED}`);
      if (secrets === undefined || !areSame(found, secrets)) secrets = kept(found);
      return secrets;
    });
    const asking: typeof asked = { answer, at: clock.monotonic() };
    answer.catch(() => {
      asking.failedAt = clock.monotonic();
    });
    asked = asking;
    return answer;
  };
  return (isUnknown) => {
    if (asked === undefined) return ask();
    const { answer, at, failedAt } = asked;
    const now = clock.monotonic();
    if (failedAt === undefined) return isUnknown === true && now - at >= RENEW_MS ? ask() : answer;
    if (now - failedAt >= PAUSE_MS) return ask();
    // Its output before the failure is still the key.
    return secrets === undefined ? answer : Promise.resolve(secrets);
  };
}

function areSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return (
    some.length === others.length && some.every((each, n) => Buffer.compare(each, others[n] ?? each) === 0)
  );
}

/** Redacts the keys from the log from now on. */
function kept(secrets: readonly Uint8Array[]): readonly Uint8Array[] {
  for (const each of secrets.flatMap(keySpellings)) redactor.add(each);
  return secrets;
}

async function runKeyCommand(words: readonly string[], env: Environment): Promise<readonly Uint8Array[]> {
  const [command = '', ...args] = words;
  // It may need any of its own variables; ours may contain a token, a login or the password of the store.
  const own = Object.entries(env).filter(([name]) => !name.toUpperCase().startsWith(ENVIRONMENT_PREFIX));
  const end = await runProgram(command, args, { env: Object.fromEntries(own), limitMs: COMMAND_LIMIT_MS });
  const what = `--store-key-command: ${quote(command)}`;
  if (end.kind === 'failed')
    throw new ConfigError(`${what} ${end.reason}`, { hint: 'run the command in a terminal to see why' });
  const secrets = keysIn(end.stdout);
  if (secrets === undefined) throw new ConfigError(`${what} printed no key: expected ${KEYS_WANTED}`);
  return secrets;
}
