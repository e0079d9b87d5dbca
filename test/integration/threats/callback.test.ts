import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { createLogSink } from '../../../src/platform/log/sink.ts';
import { type Page, visit } from '../../peers/browsers/browser-visit.ts';
import { createSignInWorld, type SignInWorld } from '../../peers/worlds/sign-in-world.ts';
import { CanaryOracle } from '../../peers/worlds/threats/canary-oracle.ts';

/** .github/SECURITY.md, attacks 27 to 32: what any page or program may send to the listener while a person signs in. In each the real callback is the control. */

/** A sign-in that somebody disturbs: its redirect, the state that only the person's browser knows, and the oracle. */
async function disturbed(world: SignInWorld) {
  const told: string[] = [];
  const stderr = new Writable({
    write: (chunk, _, done) => {
      told.push(String(chunk));
      done();
    },
  });
  const logger = createLogSink({ format: 'text', debug: true, silent: false, clock: systemClock, stderr });
  const { outcome, address } = await world.start({}, { logger });
  const query = new URL(await address).searchParams;
  const redirect = query.get('redirect_uri') ?? '';
  const state = query.get('state') ?? '';
  const pages: Page[] = [];
  const forms = () => world.authorization.requests.entries.map(({ body }) => new URLSearchParams(body));
  const issued = (name: string) => forms().flatMap((form) => form.getAll(name));
  const oracle = new CanaryOracle()
    .secret('verifier', () => issued('code_verifier'), [])
    .secret('code', () => issued('code'), [])
    .secret('access', () => world.authorization.tokens.all.map(({ token }) => token), [])
    .place('stderr', () => told)
    .place('pages', () => pages.map(({ body }) => body))
    .place('faces', () => world.faces.entries.map((face) => JSON.stringify(face)));
  return {
    outcome,
    redirect,
    state,
    pages,
    oracle,
    open: async (search: string): Promise<Page> => {
      const page = await visit(`${redirect}?${search}`);
      pages.push(page);
      return page;
    },
    /** The person's own browser, through the authorization server. */
    signIn: async () => {
      const page = await visit(await address);
      pages.push(page);
      expect(page).toMatchObject({ status: 200, body: expect.stringContaining('You are signed in') });
      expect((await outcome).kind).toBe('signed-in');
      expect(world.codePosts()).toBe(1);
      expect(oracle.leaks()).toEqual([]);
      return page;
    },
  };
}

const FOREIGN = 'This address does not belong to a sign-in in progress.\n';

test('SECURITY.md, attack 27: a missing, malformed or repeated state: the token endpoint is not touched, then the real one signs in', async () => {
  await using world = await createSignInWorld();
  const { open, state, signIn } = await disturbed(world);
  const other = state.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'));
  const wrong = [
    'code=c',
    'state&code=c',
    'state=&code=c',
    `state=${other}&code=c`,
    `state=${state.slice(0, -1)}&code=c`,
    `state=${state}x&code=c`,
    `state=${state}%00&code=c`,
    `state=%20${state}&code=c`,
    `state=${state.toUpperCase()}&code=c`,
    `State=${state}&code=c`,
    `state[]=${state}&code=c`,
    `state=${state}&state=${state}&code=c`,
    `state=${state}&state=${other}&code=c`,
    `state=${other}&state=${state}&code=c`,
    `state=${'%F0%9F%98%80'.repeat(11)}&code=c`,
    `state=${'x'.repeat(10_000)}&code=c`,
    `code=c;state=${state}`,
  ];
  for (const search of wrong) {
    const page = await open(search);
    expect(`${page.status} ${page.body} ${search.slice(0, 60)}`).toBe(
      `400 ${FOREIGN} ${search.slice(0, 60)}`,
    );
  }
  expect(world.codePosts()).toBe(0);
  expect(await world.record()).toBeUndefined();
  await signIn();
});

test('SECURITY.md, attack 28: fifty forgeries, of a state and of an error, change nothing; then the real one signs in', async () => {
  await using world = await createSignInWorld();
  const { open, signIn } = await disturbed(world);
  const searches = Array.from({ length: 25 }, (_, at) => [
    `state=forged-${at}&code=forged-${at}`,
    `state=forged-${at}&error=access_denied&error_description=forged`,
  ]).flat();
  for (const { status, body } of await Promise.all(searches.map(open))) {
    expect({ status, body }).toEqual({ status: 400, body: FOREIGN });
  }
  expect(world.codePosts()).toBe(0);
  await signIn();
});

test('SECURITY.md, attack 29: the callback that signed in is over when it comes again: 410, one token request', async () => {
  await using world = await createSignInWorld();
  const { pages, signIn, oracle } = await disturbed(world);
  const { url } = await signIn();
  for (const replay of await Promise.all([visit(url), visit(url)])) {
    pages.push(replay);
    expect(replay.status).toBe(410);
  }
  expect(world.codePosts()).toBe(1);
  expect(oracle.leaks()).toEqual([]);
});

describe("SECURITY.md, attack 31: a request that is not the person's browser coming back", () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['a foreign Host', { host: 'evil.example' }],
    ['fetch', { 'sec-fetch-mode': 'cors', origin: 'https://evil.example' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ])('%s: 403, even with the right state; then the real one signs in', async (_, headers) => {
    await using world = await createSignInWorld();
    const { redirect, state, pages, signIn } = await disturbed(world);
    const address = `${redirect}?${new URLSearchParams({ state, code: 'stolen-code' })}`;
    const status = await new Promise((resolve, reject) => {
      const asked = request(address, { headers }, (response) => {
        response.resume();
        expect(response.headers['access-control-allow-origin']).toBeUndefined();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(403);
    expect([world.codePosts(), pages.length]).toEqual([0, 0]);
    await signIn();
  });
});

describe('SECURITY.md, attack 30: markup in parameters', () => {
  const MARKUP = `"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>`;
  const evil = encodeURIComponent(MARKUP);

  test('without the state: the same bytes whatever they say', async () => {
    await using world = await createSignInWorld();
    const { open, signIn } = await disturbed(world);
    const searches = [
      '',
      `code=${evil}`,
      `state=${evil}`,
      `error=${evil}&error_description=${evil}`,
      `${evil}=${evil}`,
    ];
    const pages = await Promise.all(searches.map(open));
    for (const { status, body, headers } of pages) {
      expect({ status, body }).toEqual({ status: 400, body: FOREIGN });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'/);
      expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    }
    await signIn();
  });

  test.each([
    ['a refusal', `error=access_denied&error_description=${evil}&error_uri=${evil}`, 403],
    ['an error', `error=${evil}&error_description=${evil}`, 502],
    ['a code', `code=${evil}&session_state=${evil}&scope=${evil}`, 502],
  ])(
    'with the state, from the authorization server itself: %s adds no element and no address',
    async (_, search, status) => {
      await using world = await createSignInWorld();
      const { open, state, outcome, oracle } = await disturbed(world);
      const page = await open(`${search}&${new URLSearchParams({ state, iss: world.authorization.issuer })}`);
      expect(page.status).toBe(status);
      expect(page.headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'sha256-[^;]+;/,
      );
      expect(page.body).not.toMatch(/<script|<img|evil\.example[^<]*>|onerror=[^<]*>/i);
      expect(page.body).not.toContain('You are signed in');
      // Success is shown for what was exchanged, and nothing was.
      expect((await outcome).kind).toBe('failed');
      expect(await world.record()).toBeUndefined();
      expect(oracle.leaks()).toEqual([]);
    },
  );
});

describe('SECURITY.md, attack 32: the listener is flooded', () => {
  test.each([
    ['nobody, as a control', (_socket: Socket) => undefined],
    ['silence', (_socket: Socket) => undefined],
    ['headers without end', (socket: Socket) => void socket.write('GET /callback?x=1 HTTP/1.1\r\nX-Slow: ')],
    ['requests', (socket: Socket) => void socket.write('GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n')],
  ])('by %s: the real callback is still answered', async (name, say) => {
    await using world = await createSignInWorld();
    const { redirect, signIn } = await disturbed(world);
    const { port } = new URL(redirect);
    const flood = name.startsWith('nobody') ? undefined : keepConnecting(Number(port), 64, say);
    await flood?.underway;
    await signIn();
    flood?.stop();
  });

  /** So many connections at any time: a connection that was closed is made again. */
  function keepConnecting(port: number, count: number, say: (socket: Socket) => void) {
    const sockets = new Set<Socket>();
    let isOver = false;
    const open = (): Promise<unknown> => {
      const socket = connect(port, '127.0.0.1', () => say(socket)).on('error', () => {});
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        if (!isOver) setImmediate(open);
      });
      return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    };
    const underway = Promise.allSettled(Array.from({ length: count }, open));
    const stop = () => {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    };
    return { underway, stop };
  }
});
