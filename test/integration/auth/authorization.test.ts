import { join } from 'node:path';
import { expect, test } from 'vitest';
import { staticAuthorization } from '../../../src/auth/authorization.ts';
import type { CredentialAuthorization } from '../../../src/auth/credential/credential-authorization.ts';
import { createInteractiveAuthorization } from '../../../src/auth/credential/interactive-authorization.ts';
import { SignInFailedError } from '../../../src/auth/errors/sign-in-errors.ts';
import type { RefreshOutcome } from '../../../src/auth/refresh/refresh-credential.ts';
import { refreshCredential } from '../../../src/auth/refresh/refresh-credential.ts';
import { createRefreshRequest } from '../../../src/auth/refresh/refresh-request.ts';
import type { SignInRequest } from '../../../src/auth/sign-in-request.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import type { PendingSignInStatus } from '../../../src/protocol/pending-sign-in.ts';
import { bearerChallenge } from '../../../src/protocol/www-authenticate.ts';
import { type Leases, openLeases } from '../../../src/store/lease/lease.ts';
import { memoryLeases } from '../../../src/store/lease/memory-leases.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/port/store.ts';
import type { NewRecord } from '../../../src/store/record/record.ts';
import { sealingOf } from '../../../src/store/system-keychain.ts';
import { RotatingEndpoint } from '../../peers/authorization-servers/rotating-endpoint.ts';
import { Journal } from '../../peers/net/journal.ts';
import { expiredLogin } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

const KEY = 'ef'.repeat(32);
const HOUR = 3_600_000;
const signal = new AbortController().signal;

/** Several bridges of one user, an endpoint that renews their login, and sign-ins that a test lets end as it likes. */
class World implements AsyncDisposable {
  readonly home: TemporaryHome;
  readonly endpoint: RotatingEndpoint;
  readonly store: Store;
  readonly leases: Leases;
  readonly launched = new Journal<SignInRequest>();
  reads = 0;
  aheadMs = 0;
  launchFails = false;
  readonly clock: Clock;
  readonly #bridges: CredentialAuthorization[] = [];

  private constructor(home: TemporaryHome, endpoint: RotatingEndpoint, store: Store, leases: Leases) {
    this.home = home;
    this.endpoint = endpoint;
    this.store = store;
    this.leases = leases;
    this.clock = {
      ...systemClock,
      now: () => Date.now() + this.aheadMs,
      monotonic: () => systemClock.monotonic() + this.aheadMs,
      uptime: systemClock.uptime,
    };
  }

  static async create(login?: Partial<NewRecord['tokens']> | 'none', inMemory = false): Promise<World> {
    const home = await TemporaryHome.create();
    const endpoint = await RotatingEndpoint.start();
    const store = inMemory
      ? new MemoryStore(join(home.state, 'credentials'), true, sealingOf(home.state))
      : await openStore({ home: home.state, logger: silentLogger });
    const world = new World(home, endpoint, store, inMemory ? memoryLeases() : openLeases(store.folder));
    if (login !== 'none') await store.write(KEY, world.login(login), null);
    return world;
  }

  /** Its access token is A0; unless told otherwise it is good for an hour. */
  login(tokens: Partial<NewRecord['tokens']> = {}): NewRecord {
    const login = expiredLogin(this.endpoint.address, 'R0');
    if (login.tokens === undefined) throw new Error('no tokens');
    const times = { obtainedAt: Date.now(), expiresAt: Date.now() + HOUR };
    return { ...login, tokens: { ...login.tokens, ...times, ...tokens } };
  }

  bridge(): CredentialAuthorization {
    const { store } = this;
    const server = new URL('/mcp', this.endpoint.address);
    const counted: Store = {
      writable: store.writable,
      place: store.place,
      read: (key, identity) => {
        this.reads++;
        return store.read(key, identity);
      },
      write: (...args) => store.write(...args),
      remove: (key) => store.remove(key),
      withLock: (...args) => store.withLock(...args),
    };
    const bridge = createInteractiveAuthorization({
      store: counted,
      leases: this.leases,
      key: KEY,
      clock: this.clock,
      random: systemRandom,
      logger: silentLogger,
      settings: {
        ...oauthDefaults,
        server: server.href,
        allowHttp: false,
        home: this.home.state,
        authTimeoutMs: 60_000,
        openBrowser: true,
        debug: false,
      },
      launch: async (request) => {
        if (this.launchFails) throw new SignInFailedError('no process can be started');
        this.launched.add(request);
      },
      hasIssuerChanged: async () => false,
      loadRefreshRequest: async () =>
        createRefreshRequest({
          settings: oauthDefaults,
          server,
          allowHttp: false,
          clock: systemClock,
          createHttp: (allowAddress) => createHttp({ env: {}, allowAddress }),
        }),
    });
    this.#bridges.push(bridge);
    return bridge;
  }

  /** What a bridge begins that finds its token due, to its end. */
  async refreshAhead(token: string): Promise<RefreshOutcome> {
    const { store, clock, endpoint } = this;
    const server = new URL('/mcp', endpoint.address);
    const sendRefreshRequest = createRefreshRequest({
      settings: oauthDefaults,
      server,
      allowHttp: false,
      clock: systemClock,
      createHttp: (allowAddress) => createHttp({ env: {}, allowAddress }),
    });
    const tools = { store, key: KEY, identity: { server: server.href }, sendRefreshRequest };
    const ports = { clock, random: systemRandom, logger: silentLogger };
    return refreshCredential({ ...tools, ...ports }, { token, refused: false }, signal);
  }

  /** What the sign-in process shows of itself. */
  async face(change: object, request = this.launched.entries.at(-1)): Promise<void> {
    const times = { startedAt: Date.now(), deadline: Date.now() + 60_000 };
    await this.leases.writeStatus(KEY, {
      phase: 'pending',
      nonce: request?.nonce ?? '',
      pid: process.pid,
      ...times,
      ...change,
    });
  }

  async endLease(): Promise<void> {
    await this.leases.release(KEY, this.launched.entries.at(-1)?.nonce ?? '');
  }

  /** As a sign-in process does: the record, the face, the lease. */
  async signInWorks(accessToken: string): Promise<void> {
    await this.store.write(
      KEY,
      { ...this.login({ accessToken, refreshToken: 'S0' }), family: accessToken },
      'any',
    );
    await this.face({ phase: 'done' });
    await this.endLease();
  }

  async signInFails(code: string): Promise<void> {
    await this.face({ phase: 'failed', error: { code, message: `it ended with ${code}` } });
    await this.endLease();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#bridges.map((bridge) => bridge.close()));
    await this.endpoint[Symbol.asyncDispose]();
    await this.home.close();
  }
}

function watchOf(recovery: { kind: string; signIn?: PendingSignInStatus }): PendingSignInStatus {
  if (recovery.signIn === undefined) throw new Error(`no sign-in: ${recovery.kind}`);
  return recovery.signIn;
}

const EXPIRED = () => ({ obtainedAt: Date.now() - HOUR, expiresAt: Date.now() - 1 });
const DUE = () => ({ obtainedAt: Date.now() - HOUR, expiresAt: Date.now() + 30_000 });

test('reads the disk once while the token is fresh', async () => {
  await using world = await World.create();
  const bridge = world.bridge();
  for (let request = 0; request < 100; request++)
    expect(await bridge.current(signal)).toEqual({ token: 'A0' });
  expect(world.reads).toBe(1);
  expect(world.endpoint.posts.entries).toEqual([]);
});

test('sends a token that is due while replacing it in the background', async () => {
  await using world = await World.create(DUE());
  const bridge = world.bridge();
  let answer: () => void = () => {};
  world.endpoint.beforeAnswer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  expect(await bridge.current(signal)).toEqual({ token: 'A0' });
  await world.endpoint.posts.waitFor(() => true);
  expect(await bridge.current(signal)).toEqual({ token: 'A0' });
  answer();
  await expect.poll(() => bridge.current(signal)).toEqual({ token: 'A1' });
  expect(world.endpoint.posts.entries).toHaveLength(1);
});

test('replaces an expired token before sending, once for all requests', async () => {
  await using world = await World.create(EXPIRED());
  const bridges = [world.bridge(), world.bridge(), world.bridge()];
  const asked = bridges.flatMap((bridge) => Array.from({ length: 5 }, () => bridge.current(signal)));
  expect(await Promise.all(asked)).toEqual(Array(15).fill({ token: 'A1' }));
  expect(world.endpoint.posts.entries).toHaveLength(1);
});

test('starts another sign-in when the current one is about to end with the refused token', async () => {
  await using world = await World.create();
  const lease = await world.leases.create(KEY, Date.now());
  const bridge = world.bridge();
  const refused = await bridge.current(signal);
  const challenge = bearerChallenge('Bearer error="insufficient_scope", scope="more"');
  const signIn = watchOf(await bridge.recover(refused, challenge, signal));
  expect(world.launched.entries).toEqual([]);
  await world.face({ phase: 'done', nonce: lease.nonce });
  await world.leases.release(KEY, lease.nonce ?? '');
  const { scope } = await world.launched.waitFor(() => true, { what: 'a sign-in for more' });
  expect(scope).toContain('more');
  await world.signInWorks('A9');
  expect(await signIn.done).toEqual({ token: 'A9' });
  expect(world.launched.entries).toHaveLength(1);
});

test('starts a new sign-in when the previous one failed, even while its lease remains', async () => {
  await using world = await World.create();
  const lease = await world.leases.create(KEY, Date.now());
  const error = { code: 'authorization_denied', message: 'access was declined' } as const;
  await world.face({ phase: 'failed', nonce: lease.nonce, address: 'https://as.example/old', error });
  const bridge = world.bridge();
  const challenge = bearerChallenge('Bearer error="insufficient_scope", scope="more"');
  const signIn = watchOf(await bridge.recover(await bridge.current(signal), challenge, signal));
  const shown: string[] = [];
  signIn.onAddress((address) => shown.push(address));
  await world.leases.release(KEY, lease.nonce ?? '');
  await world.launched.waitFor(() => true, { what: 'a sign-in of its own' });
  await world.signInWorks('A9');
  expect(await signIn.done).toEqual({ token: 'A9' });
  expect(shown).not.toContain('https://as.example/old');
  expect(world.launched.entries).toHaveLength(1);
});

test('refreshes after a 401 that merely mentions insufficient_scope in its description, without a sign-in', async () => {
  await using world = await World.create();
  const bridge = world.bridge();
  const refused = await bridge.current(signal);
  const challenge = bearerChallenge(
    'Bearer error="invalid_token", error_description="expired; insufficient_scope would be another error"',
  );
  expect(await bridge.recover(refused, challenge, signal)).toEqual({
    kind: 'retry',
    bearer: { token: 'A1' },
  });
  expect(world.endpoint.posts.entries).toHaveLength(1);
  expect(world.launched.entries).toEqual([]);
});

test('a request that stops waiting does not affect the others', async () => {
  await using world = await World.create(EXPIRED());
  const bridge = world.bridge();
  let answer: () => void = () => {};
  world.endpoint.beforeAnswer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const impatient = new AbortController();
  const given = bridge.current(impatient.signal);
  const patient = bridge.current(signal);
  await world.endpoint.posts.waitFor(() => true);
  impatient.abort(new Error('cancelled'));
  await expect(given).rejects.toThrow('cancelled');
  answer();
  expect(await patient).toEqual({ token: 'A1' });
});

test('a revoked token with many requests and bridges under way costs one refresh and no sign-in', async () => {
  await using world = await World.create();
  const bridges = [world.bridge(), world.bridge(), world.bridge()];
  const refused = await Promise.all(bridges.map((bridge) => bridge.current(signal)));
  const recoveries = bridges.flatMap((bridge, index) =>
    Array.from({ length: 5 }, () => bridge.recover(refused[index], undefined, signal)),
  );
  expect(await Promise.all(recoveries)).toEqual(Array(15).fill({ kind: 'retry', bearer: { token: 'A1' } }));
  expect(world.endpoint.posts.entries).toHaveLength(1);
  expect(world.launched.entries).toEqual([]);
});

test('503: keeps the login, asks for no sign-in, backs off from the token endpoint, and recovers', async () => {
  await using world = await World.create();
  const bridges = [world.bridge(), world.bridge()];
  world.endpoint.faults.push((_, response) => response.writeHead(503).end());
  const refused = await bridges[0]?.current(signal);
  for (const bridge of bridges) {
    await expect(bridge.recover(refused, undefined, signal)).rejects.toMatchObject({
      code: 'token_endpoint',
    });
  }
  expect(await bridges[0]?.current(signal)).toEqual({ token: 'A0' });
  expect(world.endpoint.posts.entries).toHaveLength(1);
  expect(world.launched.entries).toEqual([]);
  world.aheadMs = 1_100;
  expect(await bridges[1]?.recover(refused, undefined, signal)).toMatchObject({ bearer: { token: 'A1' } });
});

test('sends an expired token that cannot be replaced, because the clock may be wrong', async () => {
  await using world = await World.create(EXPIRED());
  world.endpoint.faults.push((_, response) => response.writeHead(503).end());
  expect(await world.bridge().current(signal)).toEqual({ token: 'A0' });
});

test.each([
  ['with grace: the second attempt is answered', true],
  ['without: one sign-in', false],
])('a lost token response, %s', async (_, grace) => {
  await using world = await World.create();
  world.endpoint.grace = grace;
  world.endpoint.beforeAnswer = async () => {
    world.endpoint.beforeAnswer = async () => {};
    throw new Error('the connection breaks here');
  };
  const bridge = world.bridge();
  const refused = await bridge.current(signal);
  await expect(bridge.recover(refused, undefined, signal)).rejects.toMatchObject({ code: 'token_endpoint' });
  world.aheadMs = 1_100;
  const recovery = await bridge.recover(refused, undefined, signal);
  expect(recovery.kind).toBe(grace ? 'retry' : 'sign-in');
  expect(world.endpoint.posts.entries).toHaveLength(2);
});

test.each([502, 504, 524])(
  'a gateway that answers %d after the rotation: the used refresh token is not sent again while the access token works',
  async (status) => {
    await using world = await World.create(DUE());
    world.endpoint.grace = true;
    world.endpoint.gatewayStatus = status;
    const bridge = world.bridge();
    const refused = await bridge.current(signal);
    expect(refused).toEqual({ token: 'A0' });
    const isNoted = async () => {
      const read = await world.store.read(KEY);
      return read.kind === 'record' ? read.record.lastRefresh?.outcome : undefined;
    };
    await expect.poll(isNoted).toBe(`status ${status}`);
    world.endpoint.gatewayStatus = undefined;
    // Past the back-off, and not yet near the token's end.
    world.aheadMs = 6_000;
    expect(await world.refreshAhead('A0')).toMatchObject({ kind: 'postponed' });
    expect(world.endpoint.posts.entries).toHaveLength(1);
    world.aheadMs = 12_000;
    expect(await bridge.recover(refused, undefined, signal)).toMatchObject({ kind: 'retry' });
    expect(world.endpoint.posts.entries).toHaveLength(2);
  },
);

test('invalid_grant: one sign-in for all bridges; each gets its address and its token', async () => {
  await using world = await World.create({ refreshToken: 'unknown' });
  const bridges = [world.bridge(), world.bridge(), world.bridge()];
  const refused = await bridges[0]?.current(signal);
  const challenge = bearerChallenge(
    'Bearer resource_metadata="https://mcp.example/.well-known/x", scope="read"',
  );
  const recoveries = await Promise.all(bridges.map((bridge) => bridge.recover(refused, challenge, signal)));
  expect(world.launched.entries).toMatchObject([
    {
      key: KEY,
      openBrowser: true,
      challenge: { scope: 'read', resourceMetadata: 'https://mcp.example/.well-known/x' },
    },
  ]);
  const watches = recoveries.map(watchOf);
  const addresses = watches.map((watch) => new Promise((resolve) => watch.onAddress(resolve)));
  await world.face({ address: 'https://as.example/authorize?x', browserOpenedAt: Date.now() });
  expect(await Promise.all(addresses)).toEqual(Array(3).fill('https://as.example/authorize?x'));
  await world.signInWorks('L1');
  expect(await Promise.all(watches.map(({ done }) => done))).toEqual(Array(3).fill({ token: 'L1' }));
  expect(await Promise.all(bridges.map((bridge) => bridge.current(signal)))).toEqual(
    Array(3).fill({ token: 'L1' }),
  );
  // One refused POST marks the token as dead for all.
  expect(world.endpoint.posts.entries).toHaveLength(1);
});

test('invalid_client: drops the registration, so that the sign-in makes a new one', async () => {
  await using world = await World.create();
  world.endpoint.faults.push((_, response) => {
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
  });
  const bridge = world.bridge();
  const recovery = await bridge.recover(await bridge.current(signal), undefined, signal);
  expect(recovery.kind).toBe('sign-in');
  const read = await world.store.read(KEY);
  expect(read).toMatchObject({ record: { tokens: { accessToken: 'A0' } } });
  expect(read).not.toHaveProperty('record.client');
});

test('a failed sign-in reports its reason; the next one opens no browser but still has an address', async () => {
  await using world = await World.create('none');
  const bridge = world.bridge();
  expect(await bridge.current(signal)).toBeUndefined();
  const first = watchOf(await bridge.recover(undefined, undefined, signal));
  expect(watchOf(await bridge.recover(undefined, undefined, signal))).toBe(first);
  const at = Date.now();
  await world.face({ address: 'https://as.example/1', startedAt: at, browserOpenedAt: at });
  await expect.poll(() => first.browserOpened).toBe(true);
  await world.signInFails('authorization_denied');
  await expect(first.done).rejects.toMatchObject({
    code: 'authorization_denied',
    message: 'it ended with authorization_denied',
  });
  const second = watchOf(await bridge.recover(undefined, undefined, signal));
  expect(world.launched.entries.map(({ openBrowser }) => openBrowser)).toEqual([true, false]);
  // This one opens none; what was noted of the first still counts for a third.
  await world.face({ address: 'https://as.example/2', startedAt: at + 1 });
  await expect.poll(() => second.address).toBe('https://as.example/2');
  expect(second.browserOpened).toBe(false);
  await world.signInFails('sign_in_expired');
  await expect(second.done).rejects.toMatchObject({ code: 'sign_in_expired' });
  await bridge.recover(undefined, undefined, signal);
  expect(world.launched.entries.at(-1)?.openBrowser).toBe(false);
});

test('may open a browser again after ten minutes', async () => {
  await using world = await World.create('none');
  const bridge = world.bridge();
  const first = watchOf(await bridge.recover(undefined, undefined, signal));
  await world.face({ browserOpenedAt: Date.now() });
  await world.signInFails('sign_in_expired');
  await expect(first.done).rejects.toMatchObject({ code: 'sign_in_expired' });
  world.aheadMs = 10 * 60_000;
  await bridge.recover(undefined, undefined, signal);
  expect(world.launched.entries.at(-1)?.openBrowser).toBe(true);
});

test('a sign-in that fails before its page opens is not restarted by every request', async () => {
  await using world = await World.create('none');
  const bridge = world.bridge();
  const first = watchOf(await bridge.recover(undefined, undefined, signal));
  await world.signInFails('discovery');
  await expect(first.done).rejects.toMatchObject({ code: 'discovery' });
  await expect(bridge.recover(undefined, undefined, signal)).rejects.toMatchObject({ code: 'discovery' });
  expect(world.launched.entries).toHaveLength(1);
  world.aheadMs = 5_000;
  expect((await bridge.recover(undefined, undefined, signal)).kind).toBe('sign-in');
});

test('stops waiting when the sign-in process is gone', async () => {
  await using world = await World.create('none');
  const watch = watchOf(await world.bridge().recover(undefined, undefined, signal));
  await world.endLease();
  await expect(watch.done).rejects.toMatchObject({ code: 'sign_in_failed' });
});

test('leaves no lease behind when the sign-in cannot be started', async () => {
  await using world = await World.create('none');
  world.launchFails = true;
  const bridge = world.bridge();
  await expect(bridge.recover(undefined, undefined, signal)).rejects.toMatchObject({
    code: 'sign_in_failed',
  });
  world.launchFails = false;
  expect((await bridge.recover(undefined, undefined, signal)).kind).toBe('sign-in');
});

test('stops when a fresh token is refused too, with audience and scope in the message', async () => {
  await using world = await World.create();
  await world.store.write(
    KEY,
    { ...world.login({ scope: 'mcp:read' }), resource: 'https://mcp.example/api' },
    'any',
  );
  const bridge = world.bridge();
  const first = await bridge.current(signal);
  const recovery = await bridge.recover(first, undefined, signal);
  if (recovery.kind !== 'retry') throw new Error(recovery.kind);
  const refused = bridge.recover(recovery.bearer, undefined, signal);
  await expect(refused).rejects.toMatchObject({
    code: 'fresh_token_refused',
    message: expect.stringMatching(/https:\/\/mcp\.example\/api.*mcp:read/),
  });
  await expect(bridge.recover(recovery.bearer, undefined, signal)).rejects.toMatchObject({
    code: 'fresh_token_refused',
  });
  expect(world.endpoint.posts.entries).toHaveLength(1);
  expect(world.launched.entries).toEqual([]);
});

test('replaces a refused token again if it worked in between', async () => {
  await using world = await World.create();
  const bridge = world.bridge();
  const first = await bridge.recover(await bridge.current(signal), undefined, signal);
  if (first.kind !== 'retry') throw new Error(first.kind);
  bridge.worked(first.bearer);
  expect(await bridge.recover(first.bearer, undefined, signal)).toEqual({
    kind: 'retry',
    bearer: { token: 'A2' },
  });
});

test('reads the record again after the machine has slept', async () => {
  await using world = await World.create();
  const bridge = world.bridge();
  await bridge.current(signal);
  await world.store.write(KEY, world.login({ accessToken: 'B1' }), 'any');
  expect(await bridge.current(signal)).toEqual({ token: 'A0' });
  const { monotonic } = world.clock;
  Object.assign(world.clock, { monotonic: () => monotonic() - world.aheadMs });
  world.aheadMs = 60_000;
  expect(await bridge.current(signal)).toEqual({ token: 'B1' });
});

test.each([365 * 24 * HOUR, -365 * 24 * HOUR])(
  'a wall clock that is off by %d ms costs at most one refresh',
  async (shift) => {
    await using world = await World.create();
    const bridge = world.bridge();
    await bridge.current(signal);
    world.aheadMs = shift;
    for (let request = 0; request < 20; request++) await bridge.current(signal);
    world.aheadMs = 0;
    for (let request = 0; request < 20; request++) await bridge.current(signal);
    expect(world.endpoint.posts.entries.length).toBeLessThanOrEqual(1);
    expect(world.launched.entries).toEqual([]);
  },
);

test('the response to a refresh does not undo a logout made meanwhile', async () => {
  await using world = await World.create(EXPIRED());
  const bridge = world.bridge();
  let answer: () => void = () => {};
  world.endpoint.beforeAnswer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const current = bridge.current(signal);
  await world.endpoint.posts.waitFor(() => true);
  const removed = world.store.remove(KEY);
  answer();
  await Promise.all([current, removed]);
  expect(await world.store.read(KEY)).toEqual({ kind: 'absent' });
});

test("another server's record under this key is not used", async () => {
  await using world = await World.create();
  await world.store.write(KEY, { ...world.login(), server: 'https://evil.example/' }, 'any');
  const bridge = world.bridge();
  expect(await bridge.current(signal)).toBeUndefined();
  expect((await bridge.recover(undefined, undefined, signal)).kind).toBe('sign-in');
  expect(world.endpoint.posts.entries).toEqual([]);
});

test('refreshes and signs in from memory where nothing can be written', async () => {
  await using world = await World.create(EXPIRED(), true);
  const bridge = world.bridge();
  expect(await bridge.current(signal)).toEqual({ token: 'A1' });
  world.endpoint.faults.push((_, response) => response.writeHead(400).end('{"error":"invalid_grant"}'));
  const watch = watchOf(await bridge.recover({ token: 'A1' }, undefined, signal));
  await world.signInWorks('L1');
  expect(await watch.done).toEqual({ token: 'L1' });
});

test('close() ends pending waits, and lets a refresh that was sent finish', async () => {
  await using world = await World.create(EXPIRED());
  const bridge = world.bridge();
  let answer: () => void = () => {};
  world.endpoint.beforeAnswer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  void bridge.current(signal);
  await world.endpoint.posts.waitFor(() => true);
  const closed = bridge.close();
  answer();
  await closed;
  expect(await world.store.read(KEY)).toMatchObject({ record: { tokens: { accessToken: 'A1' } } });

  const waiting = world.bridge();
  world.endpoint.faults.push((_, response) => response.writeHead(400).end('{"error":"invalid_grant"}'));
  const watch = watchOf(await waiting.recover({ token: 'A1' }, undefined, signal));
  await waiting.close();
  await expect(watch.done).rejects.toMatchObject({ code: 'aborted' });
});

test('never replaces a header configured by the user', async () => {
  const authorization = staticAuthorization();
  expect(await authorization.current(signal)).toBeUndefined();
  await expect(authorization.recover(undefined, { scheme: 'Bearer' }, signal)).rejects.toMatchObject({
    code: 'static_authorization_refused',
  });
});
