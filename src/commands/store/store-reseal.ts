import { describeError } from '../../errors.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Resealed } from '../../store/shared/reseal.ts';

/** What `store reseal` needs. */
export interface StoreResealParts {
  readonly reseal: () => Promise<Resealed>;
  /** Where the logins are, for messages. */
  readonly place: string;
  readonly logger: Pick<Logger, 'inform'>;
}

/** `store reseal`: true when every login is sealed under the first key, as long as no process has another key first. Rejects as `reseal` does. */
export async function storeReseal({ reseal, place, logger }: StoreResealParts): Promise<boolean> {
  const { keyId, done, before, left, isSettled } = await reseal();
  const count = done + before;
  logger.inform(
    `Sealed ${done} of ${count + left.length} under the key ${keyId} in the store at ${place}; ${before} of them were already.`,
  );
  for (const { key, error } of left)
    logger.inform(`Not sealed, ${key.slice(0, 12)}: ${describeError(error)}`);
  if (left.length > 0) logger.inform('Give this machine the keys that they need, and run it again.');
  else if (isSettled) logger.inform('Every other key can be taken away, once it is the first one nowhere.');
  else logger.inform('No replica has said yet that it has this: run it again before a key is taken away.');
  return left.length === 0 && isSettled;
}
