import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHttp, type HttpOptions } from '../../../src/platform/http/undici.ts';

let server: Server;
let connections: number;
/** Ends what GET /slow waits for. */
let release: () => void;

beforeEach(async () => {
  connections = 0;
  server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    if (request.url !== '/slow') return void response.end('well');
    response.write('first,');
    release = () => response.end('last');
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function pool(options: Partial<HttpOptions> = {}) {
  const http = await createHttp({ env: {}, ...options });
  const get = async (path = '/') => {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return http.request({ method: 'GET', url });
  };
  const text = async ({ body }: Awaited<ReturnType<typeof get>>) => {
    let whole = '';
    for await (const chunk of body) whole += Buffer.from(chunk).toString('utf8');
    return whole;
  };
  return { get, text, [Symbol.asyncDispose]: () => http.close() };
}

it('a connection serves one request after another', async () => {
  await using http = await pool();
  for (let count = 0; count < 10; count++) expect(await http.text(await http.get())).toBe('well');
  // The second request may come before the first connection is known to be free.
  expect(connections).toBeLessThanOrEqual(2);
});

it('a connection that was idle for too long is not reused, however long the server would keep it', async () => {
  await using http = await pool({ maxIdleMs: 200 });
  await http.text(await http.get());
  const before = connections;
  await delay(1_500);
  await http.text(await http.get());
  expect(connections).toBe(before + 1);
});

it('a connection from before a network change is not reused, and its pending requests go on', async () => {
  let addresses = 'wlan0 192.0.2.1';
  await using http = await pool({ networkAddresses: () => addresses });
  await http.text(await http.get());
  const slow = await http.get('/slow');
  const before = connections;
  addresses = 'wlan0 198.51.100.1';
  // It is looked at once a second.
  await delay(1_100);
  await http.text(await http.get());
  expect(connections).toBe(before + 1);
  release();
  expect(await http.text(slow)).toBe('first,last');
});
