import { plainText, quote } from '../../protocol/quote.ts';
import type { CredentialOverview } from '../../store/port/overview.ts';
import type { EngineDescription } from '../../store/shared/engine.ts';
import { duration } from '../../ui/duration.ts';

/** The engine of a shared store, as `status --json` shows it for each login. Unknown parts are absent. */
export interface EngineStatus extends Omit<EngineDescription, 'now' | 'upForMs'> {
  /** Host and port. */
  readonly place: string;
  /** Since the first login was read in this epoch, in milliseconds; if that is unknown, for how long the engine has run. */
  readonly epochAgeMs?: number | undefined;
  /** How far this machine's clock is ahead of the engine's, in milliseconds. */
  readonly clockAheadMs: number;
}

/** `now`: this machine's clock when the engine's was read, in milliseconds. */
export function engineStatus(
  place: string,
  { now: engineNow, upForMs, ...description }: EngineDescription,
  overviews: readonly Pick<CredentialOverview, 'epochAgeMs'>[],
  now: number,
): EngineStatus {
  const ages = overviews.map(({ epochAgeMs }) => epochAgeMs).filter((each) => each !== undefined);
  return {
    place,
    ...description,
    epochAgeMs: ages.length > 0 ? Math.max(...ages) : upForMs,
    clockAheadMs: Math.round(now - engineNow),
  };
}

/** The same for a person, one line each, and what should be changed. */
export function engineLines(status: EngineStatus): readonly string[] {
  const { place, engine, role, epoch, epochAgeMs, roundTripMs, clockAheadMs } = status;
  const { replicas, persistence, isPersistent, evictionPolicy } = status;
  const age = epochAgeMs === undefined ? '' : `, ${duration(epochAgeMs)} old`;
  const parts = [
    plainText(engine),
    role && plainText(role),
    `answers in ${roundTripMs.toFixed(1)} ms`,
    `this clock ${Math.abs(clockAheadMs)} ms ${clockAheadMs < 0 ? 'behind' : 'ahead'}`,
    replicas === undefined ? undefined : `replicas: ${replicas}`,
    persistence && `on disk: ${plainText(persistence)}`,
    evictionPolicy && `evicts: ${plainText(evictionPolicy)}`,
    epoch === undefined
      ? 'it does not say when it was restarted'
      : `epoch ${plainText(epoch).slice(0, 8)}${age}`,
  ];
  const lines = [
    `The store at ${plainText(place)}: ${parts.filter((each) => each !== undefined).join(', ')}.`,
  ];
  if (evictionPolicy?.startsWith('allkeys-') === true) {
    lines.push(
      `Warning: with maxmemory-policy ${quote(evictionPolicy)} the engine drops logins when its memory is full; noeviction keeps them.`,
    );
  }
  if (isPersistent === false) {
    lines.push(
      'Warning: the engine has written nothing to disk since its start: unless it takes snapshots, a restart forgets every login that no running bridge knows.',
    );
  }
  return lines;
}

/** Says which logins still need an old key. */
export function sealingLines(overviews: readonly CredentialOverview[]): readonly string[] {
  const others = overviews.filter(({ sealing }) => sealing?.isFirst === false);
  if (others.length === 0) return [];
  return [
    `Under another key than the first: ${others.length} of ${overviews.length} logins. \`store reseal\` seals them under the first, so that an old key can be taken away.`,
  ];
}
