import {
  type EngineStatus,
  engineLines,
  engineStatus,
  sealingLines,
} from '../../commands/store/engine-lines.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LogSink } from '../../platform/log/sink.ts';
import { openShared, type SharedSettings } from '../../store/open-shared.ts';
import type { CredentialOverview } from '../../store/port/overview.ts';

/** The logins on an engine, and the engine; reports what a person should know about it. Rejects with StoreAwayError. */
export async function readEngine(
  settings: SharedSettings,
  { clock }: { readonly clock: Clock },
  logger: LogSink,
): Promise<{
  readonly overview: readonly CredentialOverview[];
  readonly engine: EngineStatus | undefined;
}> {
  const shared = await openShared(settings);
  try {
    const overview = await shared.overview(clock.now());
    const description = await shared.describe();
    if (description === undefined) return { overview, engine: undefined };
    const engine = engineStatus(shared.store.place, description, overview, clock.now());
    for (const line of [...engineLines(engine), ...sealingLines(overview)]) logger.inform(line);
    return { overview, engine };
  } finally {
    await shared.close();
  }
}
