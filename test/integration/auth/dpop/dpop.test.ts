import { describe, expect, it } from 'vitest';
import { thumbprint } from '../../../../src/auth/dpop/key.ts';
import { keyOf } from '../../../../src/store/record/credential-key.ts';
import type { CredentialRecord, DpopKey } from '../../../../src/store/record/record.ts';
import type { Fault } from '../../../peers/faults/faults.ts';
import type { GateEvent } from '../../../peers/mcp-servers/dpop-gate.ts';
import { startWebOrigin } from '../../../peers/net/web-origin.ts';
import { BridgeWorld } from '../../../peers/worlds/bridge-world.ts';
import { createDpopWorld, type DpopWorld } from '../../../peers/worlds/dpop-world.ts';

const schemes = (events: readonly GateEvent[]) => [
  ...new Set(events.map(({ headers }) => headers.authorization?.split(' ')[0])),
];
const outcomes = ({ gate }: DpopWorld) => new Set(gate.events.entries.map(({ outcome }) => outcome));
const echo = { name: 'echo', arguments: { value: 'hello' } };

async function call({ world }: DpopWorld, id: number | string) {
  return (await world.bridge.request(id, 'tools/call', echo)).json;
}

/** Everything that either server was sent. */
const wire = ({ authority, gate }: DpopWorld) =>
  JSON.stringify([authority.requests.entries, gate.events.entries]);

async function dpopKeyOf({ world }: DpopWorld): Promise<DpopKey> {
  const key = (await world.record())?.dpopKey;
  if (key === undefined) throw new Error('no key in the record');
  return key;
}

describe('a server that accepts only bound tokens, with a nonce for each request', () => {
  it('one sign-in; each request has its own proof; concurrent calls are all served', async () => {
    await using at = await createDpopWorld();
    const { authority, gate, world } = at;
    expect(await world.tools()).toContain('echo');
    for (const { result } of await Promise.all(Array.from({ length: 20 }, (_, id) => call(at, id)))) {
      expect(result).toBeDefined();
    }
    const key = await dpopKeyOf(at);
    await world.bridge.end();
    expect(world.opened).toHaveLength(1);
    expect(authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
    const passed = gate.outcomes('passed');
    expect(schemes(passed)).toEqual(['DPoP']);
    expect(new Set(passed.map(({ method }) => method))).toEqual(new Set(['POST', 'GET', 'DELETE']));
    // Refused only because a nonce was missing, and no message twice.
    expect(outcomes(at)).toEqual(new Set(['no-token', 'use_dpop_nonce', 'passed']));
    expect(gate.outcomes('use_dpop_nonce').length).toBeLessThanOrEqual(passed.length);
    // RFC 9449 §10: the code was bound before there was one.
    expect(new URL(world.opened[0] as string).searchParams.get('dpop_jkt')).toBe(thumbprint(key));
    expect(wire(at)).not.toContain(key.d);
  });

  it('concurrent calls are served one by one when only the newest nonce is accepted', async () => {
    await using at = await createDpopWorld({ nonces: 'last' });
    expect(await at.world.tools()).toContain('echo');
    const answers = await Promise.all(Array.from({ length: 12 }, (_, id) => call(at, id)));
    expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(12);
    expect(at.authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
  });

  it("an expired token: one refresh for all, with the same key, retried by the reservation's owner after a nonce error", async () => {
    await using at = await createDpopWorld();
    const { authority, world } = at;
    expect(await world.tools()).toContain('echo');
    const key = await dpopKeyOf(at);
    authority.tokens.revokeAll();
    const answers = await Promise.all(Array.from({ length: 5 }, (_, id) => call(at, id)));
    expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(5);
    // Another bridge's process made the login: here the authorization server's nonce is known from its first refusal on.
    expect(authority.counters).toMatchObject({ refreshPosts: 2, refreshes: 1, replays: 0, codeExchanges: 1 });
    authority.tokens.revokeAll();
    expect((await call(at, 'next')).result).toBeDefined();
    expect(authority.counters).toMatchObject({ refreshPosts: 3, refreshes: 2, replays: 0 });
    expect((await dpopKeyOf(at)).d).toBe(key.d);
    expect(world.opened).toHaveLength(1);
  });

  it('over HTTP+SSE', async () => {
    await using at = await createDpopWorld({ server: 'sse' });
    expect((await at.world.bridge.initialize()).json.result).toBeDefined();
    expect((await at.world.bridge.request(1, 'anything', {})).json.result).toEqual({
      method: 'anything',
      params: {},
    });
    const passed = at.gate.outcomes('passed').filter(({ path }) => path.startsWith('/message'));
    // The session is in the query, which no proof holds (§4.2).
    expect(passed.length).toBeGreaterThanOrEqual(2);
    expect(passed.every(({ path }) => path.includes('?session='))).toBe(true);
    expect(schemes(at.gate.outcomes('passed'))).toEqual(['DPoP']);
  });

  it('a pushed authorization request names the key too (§10.1)', async () => {
    await using at = await createDpopWorld({
      extras: { requirePushed: true },
      args: ['--scope', 'mcp:tools'],
    });
    expect(await at.world.tools()).toContain('echo');
    const pushed = at.authority.requests.entries.find(({ path }) => path === '/request');
    const jkt = new URLSearchParams(pushed?.body).get('dpop_jkt');
    expect(jkt).toBe(thumbprint(await dpopKeyOf(at)));
  });

  it('client credentials: the token is bound, and the next one is bound to the same key without a new demand', async () => {
    const client = { client_id: 'service', client_secret: 'hush', redirect_uris: [], response_types: [] };
    const grant_types = ['client_credentials'];
    await using at = await createDpopWorld({
      extras: { clientCredentials: true, clients: [{ ...client, grant_types } as never] },
      args: ['--grant', 'client_credentials', '--client-id', 'service', '--client-secret', 'hush'],
    });
    expect(await at.world.tools()).toContain('echo');
    const key = await dpopKeyOf(at);
    at.authority.tokens.revokeAll();
    expect((await call(at, 1)).result).toBeDefined();
    expect((await dpopKeyOf(at)).d).toBe(key.d);
    expect(at.authority.tokens.all.map(({ jkt }) => jkt)).toEqual([thumbprint(key), thumbprint(key)]);
    expect(schemes(at.gate.outcomes('passed'))).toEqual(['DPoP']);
    expect(wire(at)).not.toContain(key.d);
  });
});

describe('when DPoP is used', () => {
  it('not where a bearer token works too', async () => {
    await using at = await createDpopWorld({ bearer: 'said' });
    expect(await at.world.tools()).toContain('echo');
    expect(schemes(at.gate.outcomes('passed'))).toEqual(['Bearer']);
    expect(wire(at)).not.toMatch(/"dpop":|dpop_jkt/);
  });

  it('where the metadata says that bearer tokens are not accepted', async () => {
    await using at = await createDpopWorld({ bearer: 'said', required: true });
    expect(await at.world.tools()).toContain('echo');
    expect(schemes(at.gate.outcomes('passed'))).toEqual(['DPoP']);
  });

  it('--dpop always: wherever it is supported', async () => {
    await using at = await createDpopWorld({ bearer: 'said', args: ['--dpop', 'always'] });
    expect(await at.world.tools()).toContain('echo');
    expect(schemes(at.gate.outcomes('passed'))).toEqual(['DPoP']);
  });

  it('--dpop never: not even where only bound tokens are accepted', async () => {
    await using at = await createDpopWorld({ required: true, args: ['--dpop', 'never'] });
    expect(await at.world.tools()).toMatchObject({ message: expect.stringContaining('--dpop never') });
    expect(wire(at)).not.toMatch(/"dpop":|dpop_jkt/);
    expect(at.world.opened).toHaveLength(1);
  });

  it('--dpop always without support in the authorization server: an error before any sign-in', async () => {
    await using at = await createDpopWorld({ extras: { dpop: false }, args: ['--dpop', 'always'] });
    const failure = JSON.stringify(await at.world.tools());
    expect(failure).toContain('does not say that it binds tokens to a key');
    expect(failure).toContain('--dpop always');
    expect(at.world.opened).toEqual([]);
  });

  it('an authorization server without DPoP, and a server that accepts its bearer tokens', async () => {
    await using at = await createDpopWorld({ extras: { dpop: false }, bearer: 'unsaid' });
    expect(await at.world.tools()).toContain('echo');
    at.authority.tokens.revokeAll();
    expect((await call(at, 1)).result).toBeDefined();
    // Its challenge still asks for a key: a refresh did, and nobody was asked again.
    expect(at.authority.counters).toMatchObject({ codeExchanges: 1, refreshes: 1 });
    expect(at.world.opened).toHaveLength(1);
  });

  it('an authorization server without DPoP, and a server that requires it: one tab, then the reason', async () => {
    await using at = await createDpopWorld({ extras: { dpop: false } });
    expect(await at.world.tools()).toMatchObject({ message: expect.stringContaining('bound to a key') });
    await at.world.bridge.initialize({}, 'again');
    expect(at.world.opened).toHaveLength(1);
  });

  it('an earlier login at a server that no longer accepts bearer tokens: one new sign-in', async () => {
    await using at = await createDpopWorld({ bearer: 'said' });
    expect(await at.world.tools()).toContain('echo');
    at.gate.bearer = undefined;
    const answers = await Promise.all([1, 2, 3].map((id) => call(at, id)));
    expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(3);
    expect(at.world.opened).toHaveLength(2);
    expect(at.authority.counters).toMatchObject({ codeExchanges: 2, refreshPosts: 0 });
  });
});

describe('when it goes wrong', () => {
  it('a server that refuses every proof: each message is sent twice, then the host gets an error; no refresh, no sign-in', async () => {
    await using at = await createDpopWorld({ nonces: 'never-good' });
    const failure = JSON.stringify(await at.world.tools());
    expect(failure).toContain('use_dpop_nonce');
    const shown = at.gate.events.entries.filter(({ headers }) => headers.dpop !== undefined);
    expect(shown).toHaveLength(2);
    expect(at.world.opened).toHaveLength(1);
    expect(at.authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
  });

  const neverContent: Fault = {
    kind: 'answer',
    status: 400,
    body: '{"error":"use_dpop_nonce"}',
    headers: { 'content-type': 'application/json', 'dpop-nonce': 'the-next' },
  };

  it('a token endpoint that refuses every proof for a code: two attempts, then the reason', async () => {
    await using at = await createDpopWorld();
    at.authority.failExchange(neverContent);
    expect(JSON.stringify(await at.world.tools())).toContain('use_dpop_nonce');
    const posts = at.authority.requests.entries.filter(({ body }) => body.includes('authorization_code&'));
    expect(posts).toHaveLength(2);
  });

  it('or for a refresh: the refresh token was not used, and works once proofs are accepted', async () => {
    await using at = await createDpopWorld();
    expect(await at.world.tools()).toContain('echo');
    const before = await at.world.record();
    at.authority.failRefresh(neverContent);
    at.authority.tokens.revokeAll();
    expect(JSON.stringify(await call(at, 1))).toContain('use_dpop_nonce');
    expect(at.authority.counters.refreshPosts).toBe(2);
    const after = await at.world.record();
    expect(after?.lastRefresh).toMatchObject({ outcome: 'use_dpop_nonce' });
    expect(after?.deadRefreshTokenHash).toBeUndefined();
    expect(after?.tokens?.refreshToken).toBe(before?.tokens?.refreshToken);
    at.authority.heal();
    // As if the pause were over.
    const { version, revision, lastRefresh, ...rest } = after as NonNullable<typeof after>;
    await at.world.store.write(keyOf(at.world.config), rest, { revision, family: rest.family });
    expect((await call(at, 2)).result).toBeDefined();
    expect(at.authority.counters).toMatchObject({ refreshes: 1, codeExchanges: 1, replays: 0 });
  });

  it('a key damaged on disk: an error that does not show it, and no sign-in', async () => {
    await using at = await createDpopWorld();
    expect(await at.world.tools()).toContain('echo');
    const { version, revision, ...record } = (await at.world.record()) as CredentialRecord;
    const dpopKey = { ...(await dpopKeyOf(at)), x: 'AAAA', y: 'AAAA' };
    await at.world.store.write(keyOf(at.world.config), { ...record, dpopKey }, 'any');
    await using other = await BridgeWorld.to(at.gate.url, [], { home: at.world.home });
    const failure = JSON.stringify(await other.tools());
    expect(failure).toContain('key of this login');
    expect(failure).not.toContain(dpopKey.d);
    expect(other.opened).toEqual([]);
  });

  it("a clock that is an hour off: one refusal, then proofs use the server's time", async () => {
    await using at = await createDpopWorld({ nonces: 'none', clockOffsetMs: 3_600_000 });
    expect(await at.world.tools()).toContain('echo');
    const late = at.gate.outcomes('invalid_dpop_proof iat').length;
    expect(late).toBeGreaterThanOrEqual(1);
    for (const id of [1, 2, 3]) expect((await call(at, id)).result).toBeDefined();
    expect(at.gate.outcomes('invalid_dpop_proof iat')).toHaveLength(late);
    expect(at.world.opened).toHaveLength(1);
  });

  it('a redirect: a new proof within the origin, neither token nor proof to another origin (SECURITY.md, attack 13)', async () => {
    await using at = await createDpopWorld();
    await using stranger = await startWebOrigin();
    expect(await at.world.tools()).toContain('echo');
    const { tokens } = (await at.world.record()) ?? {};
    at.gate.redirectTo = `${stranger.origin}/mcp`;
    expect(JSON.stringify(await call(at, 'without'))).toContain('another origin');
    expect(stranger.connections()).toBe(0);
    at.gate.redirectTo = `${at.gate.url}?moved=1`;
    expect((await call(at, 'within')).result).toBeDefined();
    expect(at.gate.outcomes('passed').at(-1)?.path).toContain('?moved=1');
    expect(JSON.stringify(at.world.bridge.received.entries)).not.toContain(tokens?.accessToken);
  });
});
