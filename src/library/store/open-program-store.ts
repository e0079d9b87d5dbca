import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { Shared } from '../../store/open-shared.ts';
import { openSharedStore } from '../../store/shared/open-shared-store.ts';
import type { LoginStore } from '../interface/store-interface.ts';
import { ProgramEngine } from './program-engine.ts';

export interface ProgramStoreOptions {
  readonly prefix: string;
  /** 32 bytes each: the first one seals, all open. */
  readonly secrets: () => Promise<readonly Uint8Array[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Opens the logins in a program's own store. */
export async function openProgramStore(own: LoginStore, options: ProgramStoreOptions): Promise<Shared> {
  const engine = new ProgramEngine(own, options.clock);
  return openSharedStore({ ...options, engine });
}
