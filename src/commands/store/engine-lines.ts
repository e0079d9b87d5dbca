import { plainText, quote } from '../../protocol/quote.ts';
import type { EngineDescription } from '../../store/shared/engine.ts';

/** What `status` says of the engine of a shared store, a line for a person each. `now`: this machine's clock, in milliseconds. */
export function engineLines(place: string, description: EngineDescription, now: number): readonly string[] {
  const { engine, role, epoch, roundTripMs, replicas, persistence, evictionPolicy } = description;
  const offset = Math.round(now - description.now);
  const parts = [
    plainText(engine),
    role && plainText(role),
    `answers in ${roundTripMs.toFixed(1)} ms`,
    `this clock ${Math.abs(offset)} ms ${offset < 0 ? 'behind' : 'ahead'}`,
    replicas === undefined ? undefined : `replicas: ${replicas}`,
    persistence && `on disk: ${plainText(persistence)}`,
    evictionPolicy && `evicts: ${plainText(evictionPolicy)}`,
    epoch === undefined ? 'it does not say when it was restarted' : `epoch ${plainText(epoch).slice(0, 8)}`,
  ];
  const lines = [
    `The store at ${plainText(place)}: ${parts.filter((each) => each !== undefined).join(', ')}.`,
  ];
  if (evictionPolicy?.startsWith('allkeys-') === true) {
    lines.push(
      `Warning: with maxmemory-policy ${quote(evictionPolicy)} the engine drops logins when its memory is full; noeviction keeps them.`,
    );
  }
  if (persistence !== undefined && /^no/.test(persistence))
    lines.push(
      'Warning: the engine keeps nothing on disk: a restart forgets every login that no running bridge knows.',
    );
  return lines;
}
