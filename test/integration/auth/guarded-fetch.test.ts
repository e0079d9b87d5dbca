import { createServer, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { brotliCompress, createGzip, deflate, gzip } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  AnswerTimeoutError,
  DiscoveryError,
  RefusedAddressError,
  TooLargeError,
} from '../../../src/auth/errors/oauth-errors.ts';
import { checkDiscoveredUrl } from '../../../src/auth/http/url-policy.ts';
import { AbortedError, describeError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { HttpError } from '../../../src/platform/http/http.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { startForwardProxy } from '../../peers/faults/forward-proxy.ts';
import { json, redirect, silence, startWebOrigin, text, trickle } from '../../peers/net/web-origin.ts';
import { createOAuthWorld, hurriedClock, lookupFrom, openFetch } from '../../peers/worlds/oauth-world.ts';

const METADATA = '/.well-known/oauth-authorization-server';
const KIB = 1024;

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('it was accepted'),
    (error: Error) => error,
  );
}

describe('redirects (SECURITY.md, attack 13)', () => {
  test.each([301, 302, 303, 307, 308])('does not follow %d to another origin', async (status) => {
    await using world = await createOAuthWorld();
    world.authorization.on(METADATA, redirect(`${world.stranger.origin}${METADATA}`, status));
    world.stranger.on(METADATA, json(world.issuerMetadata()));
    expect(describeError(await failure(world.discover()))).toContain('redirects to another origin');
    expect(world.stranger.connections()).toBe(0);
  });

  test('does not follow one to another scheme or to an address with a user name', async () => {
    await using world = await createOAuthWorld();
    const { host } = new URL(world.stranger.origin);
    for (const target of [`https://${host}/`, `//${host}/`, `http://${world.authorization.port}@${host}/`]) {
      world.authorization.on(METADATA, redirect(target));
      expect(describeError(await failure(world.discover()))).toContain('redirects to another origin');
    }
    expect(world.stranger.connections()).toBe(0);
  });

  test('follows three within the origin, and not a fourth', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on(METADATA, redirect('/1', 301));
    world.authorization.on('/1', redirect(`${world.issuer}/2`, 307));
    world.authorization.on('/2', redirect('3', 308));
    world.authorization.on('/3', json(world.issuerMetadata()));
    expect((await world.discover()).issuer).toBe(world.issuer);
    world.authorization.on('/3', redirect('/4'));
    world.authorization.on('/4', json(world.issuerMetadata()));
    const error = await failure(world.discover());
    expect(error).toBeInstanceOf(DiscoveryError);
    expect(describeError(error)).toContain('redirects too often');
    expect(world.authorization.requests.count(({ path }) => path === '/4')).toBe(0);
  });

  test('ends a loop', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on(METADATA, redirect(METADATA));
    expect(describeError(await failure(world.discover()))).toContain('redirects too often');
    expect(world.authorization.requests.entries).toHaveLength(4);
  });
});

describe('oversized documents (SECURITY.md, attack 15)', () => {
  test('reads 256 KiB, and not one byte more', async () => {
    await using world = await createOAuthWorld();
    const body = (bytes: number) => {
      const bare = JSON.stringify(world.issuerMetadata({ padding: '' }));
      return JSON.stringify(world.issuerMetadata({ padding: 'x'.repeat(bytes - bare.length) }));
    };
    world.authorization.on(METADATA, json(body(256 * KIB)));
    expect((await world.discover()).issuer).toBe(world.issuer);
    world.authorization.on(METADATA, json(body(256 * KIB + 1)));
    expect((await failure(world.discover())).cause).toBeInstanceOf(TooLargeError);
  });

  test('gives up an endless one, and closes its connection', async () => {
    await using world = await createOAuthWorld();
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    world.authorization.on(METADATA, (_, response) => {
      response.on('close', closed);
      response.on('error', () => {});
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(64 * KIB)));
      };
      response.on('drain', more);
      more();
    });
    expect((await failure(world.discover())).cause).toBeInstanceOf(TooLargeError);
    await gone;
  });

  test('refuses 204 KB of gzip that hold 200 MB', async () => {
    await using world = await createOAuthWorld();
    const bomb = await zeros(200);
    expect(bomb.length).toBeLessThan(256 * KIB);
    world.authorization.on(METADATA, text(bomb, 200, { 'content-encoding': 'gzip' }));
    const before = process.resourceUsage().maxRSS;
    expect((await failure(world.discover())).cause).toBeInstanceOf(TooLargeError);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(64 * KIB);
  });

  test.each([
    ['gzip', promisify(gzip)],
    ['X-GZip', promisify(gzip)],
    ['deflate', promisify(deflate)],
    ['br', promisify(brotliCompress)],
    ['identity', async (bytes: Buffer) => bytes],
  ])('decodes %s although it was not requested', async (coding, compress) => {
    await using world = await createOAuthWorld();
    const body = await compress(Buffer.from(JSON.stringify(world.issuerMetadata())));
    world.authorization.on(METADATA, text(body, 200, { 'content-encoding': coding }));
    expect((await world.discover()).issuer).toBe(world.issuer);
  });

  test.each(['gzip', 'zstd', 'gzip, gzip', 'compress'])(
    'refuses a body that is not %s as declared',
    async (coding) => {
      await using world = await createOAuthWorld();
      const body = JSON.stringify(world.issuerMetadata());
      world.authorization.on(METADATA, text(body, 200, { 'content-encoding': coding }));
      expect((await failure(world.discover())).cause).toMatchObject({ code: 'bad_answer' });
    },
  );

  test.each([
    ['a byte now and then', trickle],
    ['nothing', silence],
  ])('%s: times out after 10 s', async (_, behaviour) => {
    const clock = hurriedClock();
    await using world = await createOAuthWorld({ clock });
    world.authorization.on(METADATA, behaviour);
    const error = await failure(world.discover());
    expect(error.cause).toBeInstanceOf(AnswerTimeoutError);
    expect(describeError(error)).toContain('within 10 s');
    expect(new Set(clock.asked)).toEqual(new Set([10_000]));
  });

  test('stops when the caller aborts', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on(METADATA, silence);
    const stop = new AbortController();
    const discovered = failure(world.discover({ signal: stop.signal }));
    await world.authorization.requests.waitFor(() => true);
    stop.abort();
    expect(await discovered).toBeInstanceOf(AbortedError);
    expect(await failure(world.discover({ signal: stop.signal }))).toBeInstanceOf(AbortedError);
    expect(world.resource.requests.entries).toHaveLength(1);
  });

  test('refuses 200,000 levels of nesting, and accepts 256 (SECURITY.md, attack 17)', async () => {
    await using world = await createOAuthWorld();
    const deep = (depth: number) =>
      `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},${JSON.stringify(world.issuerMetadata()).slice(1)}`;
    world.authorization.on(METADATA, json(deep(255)));
    expect((await world.discover()).issuer).toBe(world.issuer);
    for (const depth of [256, 100_000]) {
      world.authorization.on(METADATA, json(deep(depth)));
      expect(describeError(await failure(world.discover()))).toContain('nests deeper than 256 levels');
    }
  });
});

test('sends only the headers that it names (SECURITY.md, attack 14)', async () => {
  await using world = await createOAuthWorld();
  world.resource.on(`/.well-known/oauth-protected-resource/mcp`, (request, response) =>
    json(world.resourceMetadata(), 200, { 'set-cookie': 'canary=1; Path=/' })(request, response),
  );
  await world.discover();
  await world.discover();
  for (const { requests } of [world.resource, world.authorization]) {
    for (const { headers } of requests.entries) {
      expect(Object.keys(headers).sort()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'host',
        'mcp-protocol-version',
        'user-agent',
      ]);
    }
  }
});

test("the user's headers are sent for the metadata of the server itself, and to no other origin (SECURITY.md, attack 14)", async () => {
  await using world = await createOAuthWorld();
  const headers = [
    ['X-Gateway', 'canary'],
    ['User-Agent', 'mine'],
  ] as const;
  const { fetch, http } = await openFetch(world.server, { headers });
  world.stranger.on('/', (_request, response) => response.writeHead(200).end('{}'));
  await world.discover({ fetch });
  await fetch.get(new URL(world.stranger.origin));
  await fetch.post({ url: new URL(`${world.resource.origin}/token`), headers: {}, body: '' });
  await http.close();
  const [metadata, post] = world.resource.requests.entries;
  expect(metadata?.headers).toMatchObject({ 'x-gateway': 'canary', 'user-agent': 'mine' });
  expect(post).toMatchObject({ method: 'POST' });
  for (const requests of [[post], world.authorization.requests.entries, world.stranger.requests.entries]) {
    expect(requests.length).toBeGreaterThan(0);
    expect(JSON.stringify(requests)).not.toMatch(/canary|mine/);
  }
});

describe('where a public server may point (SECURITY.md, attack 11)', () => {
  const server = new URL('https://mcp.example/mcp');

  test('names that resolve to private addresses get no connection; without the guard they do', async () => {
    const connections: string[] = [];
    const inside = createServer((socket) => {
      connections.push('connected');
      socket.destroy();
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const { port } = inside.address() as { port: number };
    const url = new URL(`https://as.example:${port}${METADATA}`);
    const lookup = lookupFrom(() => '127.0.0.1');
    try {
      const guarded = await openFetch(server, { lookup, seenAt: '8.8.8.8' });
      const error = await failure(guarded.fetch.get(url));
      await guarded.http.close();
      expect(error).toBeInstanceOf(HttpError);
      expect(error).toMatchObject({ code: 'refused_address', sent: false });
      expect(connections).toEqual([]);

      const local = await openFetch(server, { lookup, seenAt: '127.0.0.1' });
      expect(await failure(local.fetch.get(url))).not.toMatchObject({ code: 'refused_address' });
      await local.http.close();
      expect(connections).toEqual(['connected']);
    } finally {
      await new Promise((resolve) => inside.close(resolve));
    }
  });

  test('a resolver that flips to 169.254.169.254 is refused when it flips', async () => {
    const answers = ['127.0.0.1', '169.254.169.254'];
    const asked: string[] = [];
    const lookup = lookupFrom((hostname) => {
      asked.push(hostname);
      return answers.shift() ?? '169.254.169.254';
    });
    // A private server, so that the first answer is allowed and only the flip is not.
    const { fetch, http } = await openFetch(server, { lookup, seenAt: '10.0.0.1' });
    const url = new URL('https://as.example:1/token');
    const post = () => failure(fetch.post({ url, headers: {}, body: 'secret' }));
    expect((await post()).cause).toMatchObject({ code: 'network' });
    expect((await post()).cause).toMatchObject({ code: 'refused_address' });
    await http.close();
    expect(asked).toEqual(['as.example', 'as.example']);
  });

  test('refuses a name with one public and one private address altogether', async () => {
    const { fetch, http } = await openFetch(server, {
      seenAt: '8.8.8.8',
      lookup: (_, options, callback) => {
        expect(options.all).toBe(true);
        callback(null, [
          { address: '1.1.1.1', family: 4 },
          { address: '10.0.0.1', family: 4 },
        ]);
      },
    });
    expect(await failure(fetch.get(new URL('https://as.example/')))).toMatchObject({
      code: 'refused_address',
    });
    await http.close();
  });

  test('refuses literals and localhost without a lookup', async () => {
    await using world = await createOAuthWorld();
    const { fetch, http } = await openFetch(server, { seenAt: '8.8.8.8' });
    const inside = `${world.authorization.origin}${METADATA}`;
    for (const resourceMetadata of [inside, inside.replace('127.0.0.1', 'localhost')]) {
      const discovered = world.discover({ server, fetch, challenge: { resourceMetadata } });
      expect(await failure(discovered)).toBeInstanceOf(RefusedAddressError);
    }
    await http.close();
    expect(world.authorization.connections()).toBe(0);
  });
});

describe('behind a proxy', () => {
  const server = new URL('https://mcp.test:1/mcp');
  /** Nothing listens there: what counts is what the proxy is asked for. */
  const url = new URL('https://as.test:1/token');
  const notFound: LookupFunction = (_, __, callback) =>
    callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);

  test.each(['10.0.0.7', '169.254.169.254', '127.0.0.1'])(
    'refuses a name that is %s here',
    async (address) => {
      await using proxy = await startForwardProxy();
      const env = { HTTPS_PROXY: proxy.url };
      const { fetch, http } = await openFetch(server, {
        env,
        lookup: lookupFrom(() => address),
        seenAt: '8.8.8.8',
      });
      expect(await failure(fetch.get(url))).toMatchObject({ code: 'refused_address', sent: false });
      const post = await failure(fetch.post({ url, headers: {}, body: 'secret' }));
      expect(post.cause).toMatchObject({ code: 'refused_address' });
      await http.close();
      expect(proxy.tunnels.entries).toEqual([]);
    },
  );

  test('asks a proxy once that closes the connection instead of opening a tunnel', async () => {
    await using proxy = await startForwardProxy();
    const http = await createHttp({ env: { HTTPS_PROXY: proxy.url } });
    const error = await failure(http.request({ method: 'GET', url: new URL('https://as.test:1/') }));
    await http.close();
    expect(error).toMatchObject({ code: 'network', sent: false, system: 'ERR_PROXY_CONNECTION' });
    expect(proxy.tunnels.entries).toEqual(['as.test:1']);
  });

  test('a server on a private network may point to private addresses', async () => {
    await using proxy = await startForwardProxy();
    const env = { HTTPS_PROXY: proxy.url };
    const { fetch, http } = await openFetch(server, { env, lookup: lookupFrom(() => '10.0.0.7') });
    expect(await failure(fetch.get(url))).toMatchObject({ code: 'refused_address' });
    expect(await failure(fetch.get(server))).toMatchObject({ code: 'network' });
    expect(await failure(fetch.get(url))).toMatchObject({ code: 'network' });
    await http.close();
    expect(proxy.tunnels.entries).toEqual(['mcp.test:1', 'as.test:1']);
  });

  test.each<[string, LookupFunction]>([
    ['that does not resolve here', notFound],
    ['whose lookup does not end', () => {}],
    ['that is public', lookupFrom(() => '1.1.1.1')],
  ])('a name %s is asked for', async (_, lookup) => {
    await using proxy = await startForwardProxy();
    const { fetch, http } = await openFetch(server, { env: { HTTPS_PROXY: proxy.url }, lookup });
    expect(await failure(fetch.get(url))).toMatchObject({ code: 'network' });
    await http.close();
    expect(proxy.tunnels.entries).toEqual(['as.test:1']);
  });

  test.each(['localhost.', 'app.localhost', 'as.LOCALHOST.', '127.0.0.1.', '[::ffff:127.0.0.1]', '0x7f.1'])(
    '%s is this machine: refused, without asking a proxy',
    async (host) => {
      await using proxy = await startForwardProxy();
      const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url };
      const { fetch, http } = await openFetch(server, { env, seenAt: '8.8.8.8' });
      const target = new URL(`https://${host}/token`);
      expect(() => checkDiscoveredUrl(target.href, 'the endpoint', fetch.policy)).toThrow(
        RefusedAddressError,
      );
      expect(await failure(fetch.get(target))).toMatchObject({ code: 'refused_address' });
      await http.close();
      expect(proxy.tunnels.entries).toEqual([]);
    },
  );
});

describe('a server on this machine', () => {
  test.each([
    '127.0.0.1',
    'localhost',
    'localhost.',
    'app.localhost',
    '127.0.0.1.',
    '0x7f.1',
    '[::ffff:7f00:1]',
  ])('is connected to directly whatever the environment says: %s', async (host) => {
    await using proxy = await startForwardProxy();
    await using origin = await startWebOrigin();
    origin.on('/', json({ here: true }));
    const http = await createHttp({ env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } });
    const url = new URL(`http://${host}:${origin.port}/`);
    const { status, body } = await http.request({ method: 'GET', url });
    for await (const _ of body);
    await http.close();
    expect(status).toBe(200);
    expect(proxy.tunnels.entries).toEqual([]);
  });

  test('sends no DNS query for a name under localhost', async () => {
    const asked: string[] = [];
    const lookup = lookupFrom((hostname) => {
      asked.push(hostname);
      return '127.0.0.1';
    });
    const http = await createHttp({ env: {}, lookup });
    for (const host of ['localhost.', 'app.localhost', 'as.example']) {
      await failure(http.request({ method: 'GET', url: new URL(`http://${host}:1/`) }));
    }
    await http.close();
    expect(asked).toEqual(['localhost', 'localhost', 'as.example']);
  });
});

/** `megabytes` of zeros, compressed without ever being in memory at once. */
async function zeros(megabytes: number): Promise<Buffer> {
  const stream = createGzip({ level: 9 });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const megabyte = Buffer.alloc(KIB * KIB);
  for (let written = 0; written < megabytes; written++) {
    if (!stream.write(megabyte)) await new Promise((resolve) => stream.once('drain', resolve));
  }
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.end();
  await ended;
  return Buffer.concat(chunks);
}

describe('a process that is suspended while it connects', () => {
  test.each([
    ['and its clock goes on', { monotonic: 180_000, wall: 180_000 }],
    ['with the machine, whose clock stands still meanwhile', { monotonic: 0, wall: 180_000 }],
  ])('%s: sends nothing when it goes on, since others may have sent the same', async (_, passedMs) => {
    await using origin = await startWebOrigin();
    let isSuspended = false;
    const server = new URL(`http://auth.example.com:${origin.port}/token`);
    const { fetch, http } = await openFetch(server, {
      allowHttp: true,
      seenAt: '127.0.0.1',
      lookup: (...asked) => {
        isSuspended = true;
        lookupFrom(() => '127.0.0.1')(...asked);
      },
      clock: {
        ...systemClock,
        now: () => systemClock.now() + (isSuspended ? passedMs.wall : 0),
        monotonic: () => systemClock.monotonic() + (isSuspended ? passedMs.monotonic : 0),
      },
    });
    const error = await failure(fetch.post({ url: server, headers: {}, body: 'grant_type=refresh_token' }));
    expect(error).toMatchObject({ name: 'PostError', sent: false });
    expect(origin.requests.entries).toEqual([]);
    await http.close();
  });
});
