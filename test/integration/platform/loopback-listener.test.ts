import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import {
  CallbackPortError,
  type ListenOptions,
  type LoopbackListener,
  listenOnLoopback,
} from '../../../src/platform/http/loopback-listener.ts';
import { freePort } from '../../peers/net/listening.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** Something that happens once, awaited by others. */
function signal() {
  let resolve = () => {};
  const promise = new Promise<void>((happen) => {
    resolve = happen;
  });
  return { promise, resolve };
}

const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

const page = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'hello' };

async function listen(part: Partial<ListenOptions> = {}) {
  const queries: string[] = [];
  const answer = async (query: string) => {
    queries.push(query);
    return page;
  };
  const listener = await listenOnLoopback({
    host: '127.0.0.1',
    port: undefined,
    path: '/callback',
    answer,
    ...part,
  });
  opened.push(listener);
  return { listener, queries };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly address?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function send({ port }: LoopbackListener, sent: Sent = {}) {
  const { method = 'GET', path = '/callback?x=1', address = '127.0.0.1', headers = {}, body } = sent;
  const host = sent.host ?? `127.0.0.1:${port}`;
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }>(
    (resolve, reject) => {
      const request = httpRequest(
        { host: address, port, method, path, agent: false, headers: { ...headers, host } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part) => {
            text += part;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode, headers: response.headers, body: text }),
          );
        },
      );
      request.on('error', reject);
      request.end(body);
    },
  );
}

/** Sends bytes as they are; resolves with all that comes back until the other side closes. */
async function sendRaw({ port }: LoopbackListener, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => {
    text += part;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

describe("a browser's request is answered", () => {
  test.each([
    ['on IPv4', {}],
    ...(hasIPv6 ? [['on IPv6', { address: '::1', host: '[::1]:PORT' }] as [string, Sent]] : []),
    ['as localhost', { host: 'localhost:PORT' }],
    ['in another case', { host: 'LocalHost:PORT' }],
    ['as a page visit', { headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' } }],
    ['with cookies of other programs on this host', { headers: { cookie: 'a=b' } }],
  ])('%s', async (_name, sent: Sent) => {
    const { listener, queries } = await listen();
    const host = sent.host?.replace('PORT', String(listener.port));
    const answer = await send(listener, { ...sent, ...(host === undefined ? {} : { host }) });
    expect(answer).toMatchObject({ status: 200, body: 'hello' });
    expect(answer.headers.connection).toBe('close');
    expect(queries).toEqual(['x=1']);
  });

  test('under the name in the redirect URI', async () => {
    const { listener } = await listen({ host: 'Bridge.local' });
    expect((await send(listener, { host: `bridge.local:${listener.port}` })).status).toBe(200);
  });

  test('a failing handler causes a plain 500, and the listener goes on', async () => {
    const { listener } = await listen({ answer: () => Promise.reject(new Error('canary')) });
    const answer = await send(listener);
    expect(answer).toMatchObject({ status: 500, body: 'Something failed.\n' });
    expect((await send(listener)).status).toBe(500);
  });
});

describe('requests refused before the handler sees them (SECURITY.md, attack 31)', () => {
  test.each<[string, number, Sent]>([
    ['a foreign host', 403, { host: 'evil.example' }],
    ['a rebound host with our port', 403, { host: 'evil.example:PORT' }],
    ['our host without our port', 403, { host: '127.0.0.1' }],
    ['our host with another port', 403, { host: '127.0.0.1:1' }],
    ['our host as a prefix', 403, { host: '127.0.0.1.evil.example:PORT' }],
    ['our host as user info', 403, { host: '127.0.0.1:PORT@evil.example' }],
    ['fetch in the background', 403, { headers: { 'sec-fetch-mode': 'no-cors' } }],
    ['fetch with CORS', 403, { headers: { 'sec-fetch-mode': 'cors', origin: 'https://evil.example' } }],
    ['an image', 403, { headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }],
    ['POST', 405, { method: 'POST' }],
    ['HEAD', 405, { method: 'HEAD' }],
    ['OPTIONS', 405, { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }],
    ['PUT', 405, { method: 'PUT' }],
    ['another path', 404, { path: '/' }],
    ['a longer path', 404, { path: '/callback/x?x=1' }],
    ['a path that resolves to ours', 404, { path: '/a/../callback?x=1' }],
    ['an encoded path', 404, { path: '/%63allback?x=1' }],
    ['the icon', 404, { path: '/favicon.ico' }],
    ['GET with a body', 413, { headers: { 'content-length': '4' }, body: 'code' }],
    ['GET with chunks', 413, { headers: { 'transfer-encoding': 'chunked' }, body: 'code' }],
  ])('%s: %d', async (_name, status, sent) => {
    const { listener, queries } = await listen();
    const host = sent.host?.replace('PORT', String(listener.port));
    const answer = await send(listener, { ...sent, ...(host === undefined ? {} : { host }) });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      connection: 'close',
    });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(queries).toEqual([]);
    // The control: the same listener still serves the browser.
    expect((await send(listener)).status).toBe(200);
  });

  test.each([
    ['two hosts', 'GET /callback?x=1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n', '403'],
    ['no host', 'GET /callback?x=1 HTTP/1.1\r\n\r\n', '400'],
    ['HTTP/1.0 without a host', 'GET /callback?x=1 HTTP/1.0\r\n\r\n', '403'],
    [
      'a full address',
      'GET http://evil.example/callback?x=1 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n',
      '404',
    ],
    ['no HTTP', 'hello\r\n\r\n', '400'],
    [
      'headers over 16 KiB',
      `GET /callback HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
      '431',
    ],
    [
      'a query over 16 KiB',
      `GET /callback?${'x'.repeat(17_000)} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n`,
      '431',
    ],
  ])('%s', async (_name, bytes, status) => {
    const { listener, queries } = await listen();
    const answer = await sendRaw(listener, bytes.replaceAll('PORT', String(listener.port)));
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(queries).toEqual([]);
  });

  test('a second request on the same connection', async () => {
    const { listener, queries } = await listen();
    const one = `GET /callback?n=1 HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\nConnection: keep-alive\r\n\r\n`;
    const answer = await sendRaw(listener, one + one.replace('n=1', 'n=2'));
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    expect(queries).toEqual(['n=1']);
  });
});

describe('silent connections (SECURITY.md, attack 32)', () => {
  test('more than 32 do not block the browser', async () => {
    const { listener, queries } = await listen();
    const sockets: Socket[] = [];
    for (let count = 0; count < 100; count++) {
      const socket = connect(listener.port, '127.0.0.1').on('error', () => {});
      socket.write('GET /callback?x=1 HTTP/1.1\r\nX-Slow: ');
      sockets.push(socket);
    }
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect((await send(listener)).status).toBe(200);
    expect(queries).toEqual(['x=1']);
    for (const socket of sockets) socket.destroy();
  });

  test('endless headers are cut off, and closing does not wait for them', async () => {
    const { listener, queries } = await listen();
    const answer = await sendRaw(listener, 'GET /callback?x=1 HTTP/1.1\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    const idle = connect(listener.port, '127.0.0.1').on('error', () => {});
    await once(idle, 'connect');
    await listener.close();
    expect(queries).toEqual([]);
  });

  test('closing lets a pending response finish', async () => {
    const asked = signal();
    const release = signal();
    const { listener } = await listen({
      answer: async () => {
        asked.resolve();
        await release.promise;
        return { ...page, body: 'x'.repeat(1_000_000) };
      },
    });
    const answer = send(listener);
    await asked.promise;
    const closed = listener.close();
    release.resolve();
    await closed;
    expect((await answer).body).toHaveLength(1_000_000);
    await expect(send(listener)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the port (SECURITY.md, attack 35)', () => {
  async function squat(host: string): Promise<number> {
    const squatter: Server = createServer();
    squatter.listen({ port: 0, host, ipv6Only: true });
    await once(squatter, 'listening');
    opened.push(squatter);
    return (squatter.address() as AddressInfo).port;
  }

  test.each(['127.0.0.1', ...(hasIPv6 ? ['::1'] : []), '0.0.0.0'])(
    'a fixed port that is taken on %s causes an error that says so',
    async (host) => {
      const port = await squat(host);
      const failure = await listen({ port }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CallbackPortError);
      expect(failure).toMatchObject({
        code: 'callback_port',
        message: `port ${port}, which the browser needs to return from the sign-in, is in use by another program`,
      });
      // Nothing of the attempt stays behind on the other family.
      if (host !== '::1' && !hasIPv6) return;
      const other = createServer().listen({ port, host: host === '::1' ? '127.0.0.1' : '::1' });
      await once(other, 'listening');
      other.close();
    },
  );

  test('a fixed port is used when free, and free again afterwards', async () => {
    const port = await freePort();
    const { listener } = await listen({ port });
    await listener.close();
    const again = await listen({ port });
    expect(again.listener.port).toBe(port);
    expect((await send(again.listener)).status).toBe(200);
  });
});
