import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { runSignIn } from '../../../../src/auth/sign-in/run.ts';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import { HEARTBEAT_MS } from '../../../../src/store/lease/lease.ts';
import { visit } from '../../../peers/browsers/browser-visit.ts';
import { faults } from '../../../peers/faults/faults.ts';
import { createSignInWorld, type SignInWorld } from '../../../peers/worlds/sign-in-world.ts';

/** Where the browser would be sent back to: the redirect URI in the address, with what a test puts behind it. */
function callback(address: string, query: Record<string, string>): string {
  const url = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  return url.href;
}

async function expectNothingGained(world: SignInWorld): Promise<void> {
  expect(world.codePosts()).toBe(0);
  expect(await world.record()).toBeUndefined();
}

test('one registration, one address, one exchange; the page appears once the credential is stored', async () => {
  await using world = await createSignInWorld();
  const { outcome, address } = await world.start();
  const page = await visit(await address);
  const record = await world.record();
  expect(page).toMatchObject({ status: 200, body: expect.stringContaining('You are signed in') });
  expect(page.body).toContain(world.server);
  expect(record).toMatchObject({
    version: 1,
    server: world.server,
    resource: world.server,
    issuer: world.authorization.issuer,
    client: { source: 'registered', redirectUri: page.url.split('?')[0] },
    tokens: { tokenType: 'Bearer', refreshToken: expect.any(String), expiresAt: expect.any(Number) },
  });
  expect(await outcome).toMatchObject({ kind: 'signed-in', record });
  expect(world.faces.entries.map(({ phase }) => phase)).toEqual(['starting', 'pending', 'done']);
  expect(world.opened.entries).toEqual([await address]);
  expect(world.authorization.counters).toMatchObject({
    registrations: 1,
    authorizationRequests: 1,
    codeExchangePosts: 1,
    codeExchanges: 1,
  });
  expect((await world.leases.create(world.key, Date.now())).kind).toBe('created');
  const query = new URL(await address).searchParams;
  expect(query.get('code_challenge_method')).toBe('S256');
  expect(query.get('resource')).toBe(world.server);
  expect(query.get('state')).toMatch(/^[\w-]{43}$/);
});

test('the status and the address contain no secret', async () => {
  await using world = await createSignInWorld();
  await world.signIn();
  const { tokens } = (await world.record()) ?? {};
  const shown = JSON.stringify(world.faces.entries);
  const exchange = world.authorization.requests.entries.find(({ body }) => body.includes('code_verifier='));
  const verifier = new URLSearchParams(exchange?.body).get('code_verifier');
  for (const secret of [tokens?.accessToken, tokens?.refreshToken, verifier]) {
    expect(secret).toMatch(/./);
    expect(shown).not.toContain(secret);
  }
});

test('fifty forgeries change nothing, then the real one signs in (SECURITY.md, attacks 27, 28)', async () => {
  await using world = await createSignInWorld();
  const { outcome, address } = await world.start();
  const forged: Record<string, string>[] = [
    {},
    { code: 'c' },
    { error: 'access_denied' },
    { state: '', code: 'c' },
  ];
  for (let count = forged.length; count < 50; count++) {
    forged.push({
      state: `${count}`.padEnd(43, 'x'),
      ...(count % 2 === 0 ? { code: 'c' } : { error: 'access_denied' }),
    });
  }
  for (const query of forged) {
    const { status, body, headers } = await visit(callback(await address, query));
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(body).toBe('This address does not belong to a sign-in in progress.\n');
  }
  await expectNothingGained(world);
  expect((await visit(await address)).status).toBe(200);
  expect((await outcome).kind).toBe('signed-in');
  expect(world.codePosts()).toBe(1);
});

test('a callback works once: replays get 410 and no second exchange (SECURITY.md, attack 29)', async () => {
  await using world = await createSignInWorld();
  const { page, outcome } = await world.signIn();
  const replay = await visit(page.url);
  expect(replay).toMatchObject({ status: 410, body: expect.stringContaining('This sign-in is over') });
  const forged = await visit(`${page.url.split('?')[0]}?state=x&code=c`);
  expect(forged.status).toBe(400);
  expect(world.codePosts()).toBe(1);
  expect(outcome.kind).toBe('signed-in');
  if (outcome.kind === 'signed-in') await outcome.closed;
  await expect(visit(page.url)).rejects.toThrow('ECONNREFUSED');
});

test('exchanges the code once when the callback arrives twice at the same time', async () => {
  await using world = await createSignInWorld({ consent: 'auto' });
  world.authorization.failExchange(faults.delay(300));
  const { outcome, address } = await world.start();
  const hops: string[] = [];
  world.authorization.alterCallback = (url) => hops.push(url.href);
  const first = visit(await address);
  await world.authorization.events.waitFor(({ kind }) => kind === 'code-issued');
  await world.authorization.requests.waitFor(({ body }) => body.includes('grant_type=authorization_code'));
  const second = await visit(hops[0] as string);
  expect(second.status).toBe(410);
  expect((await first).status).toBe(200);
  expect((await outcome).kind).toBe('signed-in');
  expect(world.codePosts()).toBe(1);
});

test.each([
  ['another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
  [
    'its issuer with a slash too many',
    (url: URL) => url.searchParams.set('iss', `${url.searchParams.get('iss')}/`),
  ],
  ['no issuer, which was promised', (url: URL) => url.searchParams.delete('iss')],
])('a code from %s is not redeemed and its text not shown (SECURITY.md, attack 7)', async (_name, alter) => {
  await using world = await createSignInWorld();
  world.authorization.alterCallback = (url) => {
    alter(url);
    url.searchParams.set('error_description', 'call this number');
  };
  const { page, outcome } = await world.signIn();
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'issuer_mismatch' } });
  expect(page.status).toBe(502);
  expect(page.body).toContain('came from another authorization server');
  expect(page.body).not.toMatch(/evil|call this number/);
  await expectNothingGained(world);
  expect(world.faces.entries.at(-1)).toMatchObject({ phase: 'failed', error: { code: 'issuer_mismatch' } });
});

test('a declined sign-in says so on the page, and can be tried again (test/README.md, fault 24)', async () => {
  await using world = await createSignInWorld({ consent: 'page' });
  const { outcome, address } = await world.start();
  const page = await visit(await address, { answer: 'deny' });
  expect(page).toMatchObject({ status: 403, body: expect.stringContaining('Sign-in was declined') });
  expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'authorization_denied' } });
  expect(world.faces.entries.at(-1)).toMatchObject({
    phase: 'failed',
    error: { code: 'authorization_denied', message: 'access was declined' },
  });
  await expectNothingGained(world);
  await expect(visit(page.url)).rejects.toThrow('ECONNREFUSED');

  const again = await world.start();
  expect((await visit(await again.address, { answer: 'allow' })).status).toBe(200);
  expect((await again.outcome).kind).toBe('signed-in');
});

test('times out at the deadline, and closes the listener (test/README.md, fault 24)', async () => {
  await using world = await createSignInWorld();
  const { outcome, address } = await world.start({ authTimeoutMs: 400 });
  expect(await outcome).toMatchObject({
    kind: 'failed',
    error: { code: 'sign_in_expired' },
  });
  expect(world.faces.entries.at(-1)).toMatchObject({ phase: 'failed', error: { code: 'sign_in_expired' } });
  await expect(visit(callback(await address, {}))).rejects.toThrow('ECONNREFUSED');
  expect((await world.leases.create(world.key, Date.now())).kind).toBe('created');
});

test('the deadline does not interrupt an exchange that has begun', async () => {
  await using world = await createSignInWorld();
  world.authorization.failExchange(faults.delay(1_500));
  const { outcome, address } = await world.start({ authTimeoutMs: 1_200 });
  expect((await visit(await address)).status).toBe(200);
  expect((await outcome).kind).toBe('signed-in');
});

test('the next sign-in uses the same registration and port, and creates a separate login', async () => {
  await using world = await createSignInWorld();
  const first = await world.signIn();
  if (first.outcome.kind === 'signed-in') await first.outcome.closed;
  const before = await world.record();
  const { page } = await world.signIn();
  const after = await world.record();
  expect(page.status).toBe(200);
  expect(world.authorization.counters).toMatchObject({ registrations: 1, codeExchanges: 2 });
  expect(after?.client).toEqual(before?.client);
  expect(after?.family).not.toBe(before?.family);
  expect(after?.revision).toBeGreaterThan(before?.revision ?? Number.NaN);
});

test('detects a forgotten registration before the browser opens, and registers again', async () => {
  await using world = await createSignInWorld();
  const first = await world.signIn();
  if (first.outcome.kind === 'signed-in') await first.outcome.closed;
  world.authorization.forgetClients();
  const { page } = await world.signIn();
  expect(page.status).toBe(200);
  expect(page.url.split('?')[0]).toBe(first.page.url.split('?')[0]);
  expect(world.opened.entries).toHaveLength(2);
  expect(world.authorization.counters).toMatchObject({ registrations: 2, codeExchanges: 2 });
});

test.each([
  ['in trouble', faults.unavailable],
  ['behind something that wants browsers only', { kind: 'answer', status: 403 } as const],
])('keeps a registration when the server is %s', async (_name, fault) => {
  await using world = await createSignInWorld();
  const first = await world.signIn();
  if (first.outcome.kind === 'signed-in') await first.outcome.closed;
  world.authorization.fail('authorization', fault, 1);
  const { page } = await world.signIn();
  expect(page.status).toBe(200);
  expect(world.authorization.counters).toMatchObject({ registrations: 1, codeExchanges: 2 });
});

test('uses another port and a new registration when the registered port is taken', async () => {
  await using world = await createSignInWorld();
  const first = await world.signIn();
  if (first.outcome.kind === 'signed-in') await first.outcome.closed;
  const squatter = createServer().listen(Number(new URL(first.page.url).port), '127.0.0.1');
  const { page } = await world.signIn();
  squatter.close();
  expect(page.status).toBe(200);
  expect(new URL(page.url).port).not.toBe(new URL(first.page.url).port);
  expect(world.authorization.counters).toMatchObject({ registrations: 2, codeExchanges: 2 });
});

test('a port fixed by the user that is taken ends the sign-in before the browser opens (SECURITY.md, attack 35)', async () => {
  await using world = await createSignInWorld();
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const { port } = squatter.address() as { port: number };
  const { outcome } = await world.start({ callback: { host: '127.0.0.1', port, path: '/callback' } });
  expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'callback_port' } });
  squatter.close();
  expect(world.opened.entries).toEqual([]);
  expect(world.authorization.counters.registrations).toBe(0);
});

test('uses the configured host, port and path for the redirect', async () => {
  await using world = await createSignInWorld();
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const { page } = await world.signIn({ callback: { host: 'localhost', port, path: '/oauth/back' } });
  expect(page.status).toBe(200);
  expect(page.url).toMatch(`http://localhost:${port}/oauth/back?`);
});

test('invalid_client at the exchange: registers once more, in the same tab (test/README.md, fault 25)', async () => {
  await using world = await createSignInWorld();
  world.authorization.failExchange(faults.invalidClient, 1);
  const { page, outcome } = await world.signIn();
  expect(outcome.kind).toBe('signed-in');
  expect(page.status).toBe(200);
  expect(world.opened.entries).toHaveLength(1);
  expect(world.authorization.counters).toMatchObject({ registrations: 2, codeExchanges: 1 });
  expect(world.codePosts()).toBe(2);
  const states = page.hops
    .map((hop) => new URL(hop).searchParams.get('state'))
    .filter((state) => state !== null);
  expect(new Set(states).size).toBe(2);
});

test('a second invalid_client is an error, not another attempt', async () => {
  await using world = await createSignInWorld();
  world.authorization.failExchange(faults.invalidClient);
  const { page, outcome } = await world.signIn();
  expect(outcome).toMatchObject({
    kind: 'failed',
    error: { code: 'token_endpoint', oauthError: 'invalid_client' },
  });
  expect(page.status).toBe(502);
  expect(world.authorization.counters).toMatchObject({ registrations: 2 });
  expect(world.opened.entries).toHaveLength(1);
});

test('a failing token endpoint: page and status show its answer', async () => {
  await using world = await createSignInWorld();
  world.authorization.failExchange(faults.unavailable);
  const { page, outcome } = await world.signIn();
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'token_endpoint', status: 503 } });
  expect(page.status).toBe(502);
  expect(page.body).toContain('answered 503');
  expect(await world.record()).toBeUndefined();
});

test('unreachable metadata: no browser opens, and the status says why', async () => {
  await using world = await createSignInWorld({ wellKnown: () => false });
  const { outcome } = await world.start();
  expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'discovery' } });
  expect(world.opened.entries).toEqual([]);
  expect(world.faces.entries.at(-1)).toMatchObject({ phase: 'failed', error: { code: 'discovery' } });
});

test('detects a server without registration before the browser opens', async () => {
  await using world = await createSignInWorld({ registration: false });
  const { outcome } = await world.start();
  expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'no_client' } });
  expect(world.opened.entries).toEqual([]);
});

test('still offers the address without a browser', async () => {
  await using world = await createSignInWorld();
  const told: string[] = [];
  const { outcome, address } = await world.start(
    {},
    {
      openBrowser: async () => ({ kind: 'not-opened', reason: 'xdg-open: ENOENT' }),
      logger: { inform: (text) => told.push(text), warn: () => {}, debug: () => {} },
    },
  );
  await world.faces.waitFor(({ browserOpenedAt }) => browserOpenedAt === 0);
  expect(told).toEqual([
    `No browser could be opened (xdg-open: ENOENT). To sign in, open this address:\n${await address}`,
  ]);
  expect((await visit(await address)).status).toBe(200);
  expect((await outcome).kind).toBe('signed-in');
});

test('starts no browser where none is wanted', async () => {
  await using world = await createSignInWorld();
  const { page } = await world.signIn({ openBrowser: false });
  expect(page.status).toBe(200);
  expect(world.opened.entries).toEqual([]);
});

test('a browser that is slow to report neither delays the sign-in nor reopens it', async () => {
  await using world = await createSignInWorld();
  let report = () => {};
  const opening = new Promise<void>((resolve) => {
    report = resolve;
  });
  const openBrowser = async () => {
    await opening;
    return { kind: 'not-opened', reason: 'late' } as const;
  };
  const { outcome, address } = await world.start({}, { openBrowser });
  expect((await visit(await address)).status).toBe(200);
  expect((await outcome).kind).toBe('signed-in');
  report();
  await new Promise((resolve) => setImmediate(resolve));
  expect((await world.leases.readStatus(world.key))?.phase).toBe('done');
});

test('a stop releases the port and the lease, and says so', async () => {
  await using world = await createSignInWorld();
  const stop = new AbortController();
  const { outcome, address } = await world.start({}, {}, stop.signal);
  await address;
  stop.abort();
  expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'aborted' } });
  await expect(visit(callback(await address, {}))).rejects.toThrow('ECONNREFUSED');
  expect((await world.leases.create(world.key, Date.now())).kind).toBe('created');
  expect(world.faces.entries.at(-1)).toMatchObject({ phase: 'failed', error: { code: 'aborted' } });
});

test('does nothing when the nonce does not match the lease', async () => {
  await using world = await createSignInWorld();
  await world.takeLease();
  const request = world.request('another');
  const outcome = await runSignIn(request, await world.deps(request), new AbortController().signal);
  expect(outcome).toEqual({ kind: 'superseded' });
  expect(world.faces.entries).toEqual([]);
  expect(world.authorization.requests.entries).toEqual([]);
});

test('ends silently when the lease was lost', async () => {
  await using world = await createSignInWorld();
  const { leases } = await world.deps(world.request('any'));
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms === HEARTBEAT_MS ? 300 : ms, signal),
  };
  const lost = { ...leases, heartbeat: async () => false };
  const { outcome, address } = await world.start({}, { clock, leases: lost });
  await address;
  expect(await outcome).toEqual({ kind: 'superseded' });
  expect(world.faces.entries.at(-1)?.phase).toBe('pending');
  await expect(visit(callback(await address, {}))).rejects.toThrow('ECONNREFUSED');
});
