import { StormWorld } from './world.ts';

export interface ColdStartFigures {
  readonly instances: number;
  readonly registrations: number;
  readonly tabs: number;
  readonly exchanges: number;
  readonly failed: readonly string[];
  /** From the person's consent to the last instance's answer. */
  readonly allServedAfterMs: number;
}

/** Many first starts at once: nobody has signed in yet, and the person takes a moment. */
export async function coldStarts(instances: number): Promise<ColdStartFigures> {
  await using world = await StormWorld.create({ consent: 'wait' });
  const { authority, browser } = world;
  const all = Array.from({ length: instances }, () => world.start());
  const ends = all.map((instance) => instance.call());
  await authority.consent.asked.waitFor(() => true, { what: 'the question', timeoutMs: 60_000 });
  await Promise.all(
    all.map(({ host }) =>
      host.lines.waitFor(({ message }) => message?.id === 1, { what: 'initialize', timeoutMs: 60_000 }),
    ),
  );
  const consentedAt = performance.now();
  authority.consent.allow();
  const failed = (await Promise.all(ends)).flatMap((end) => (end.kind === 'failed' ? [end.why] : []));
  const allServedAfterMs = performance.now() - consentedAt;
  const { registrations, codeExchangePosts: exchanges } = authority.counters;
  return { instances, registrations, exchanges, tabs: browser.opened.length, failed, allServedAfterMs };
}
