import { describe, expect, it } from 'vitest';
import { createDpopWorld } from '../peers/dpop-world.ts';

const schemes = (
  events: readonly { readonly headers: { readonly authorization?: string | undefined } }[],
) => [...new Set(events.map(({ headers }) => headers.authorization?.split(' ')[0]))];

describe('a server that takes only tokens bound to a key, and a nonce for each request', () => {
  it('one sign-in; each request has a proof of its own; calls side by side are all served', async () => {
    await using at = await createDpopWorld();
    const { authority, gate, world } = at;
    expect(await world.tools()).toContain('echo');
    const calls = Array.from({ length: 20 }, (_, id) =>
      world.bridge.request(id, 'tools/call', { name: 'echo', arguments: { text: `${id}` } }),
    );
    for (const { json } of await Promise.all(calls)) expect(json.result).toBeDefined();
    await world.bridge.end();
    expect(world.opened).toHaveLength(1);
    expect(authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
    const passed = gate.outcomes('passed');
    expect(schemes(passed)).toEqual(['DPoP']);
    expect(new Set(passed.map(({ method }) => method))).toEqual(new Set(['POST', 'GET', 'DELETE']));
    // Refused for want of a nonce alone, and never twice in a row for the same message.
    const refused = gate.events.entries.filter(({ outcome }) => outcome !== 'passed');
    expect(new Set(refused.map(({ outcome }) => outcome))).toEqual(new Set(['no-token', 'use_dpop_nonce']));
    expect(gate.outcomes('use_dpop_nonce').length).toBeLessThanOrEqual(passed.length);
  });
});
