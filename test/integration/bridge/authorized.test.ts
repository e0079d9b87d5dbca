import { expect, it } from 'vitest';
import { DISCOVER_MS } from '../../../src/eras/message/limits.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { MAX_RECOVERIES } from '../../../src/remote/http/recovery.ts';
import { StoreAwayError } from '../../../src/store/files/store-errors.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { ModernMcpServer } from '../../peers/mcp-servers/modern-mcp-server.ts';
import { fastClock, stillClock } from '../../peers/net/fast-clock.ts';
import { Journal } from '../../peers/net/journal.ts';
import { HeldSignIn } from '../../peers/worlds/held-sign-in.ts';

const TOKEN = 'the-token';

it('a server that refuses the token of each sign-in: the call fails, and no third sign-in starts', async () => {
  await using server = await startMcpServer({});
  let accepts = true;
  server.fail(
    { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } },
    ({ headers }) => !accepts || headers.authorization !== `Bearer ${TOKEN}`,
  );
  const signIn = new HeldSignIn();
  signIn.succeed(TOKEN);
  await using bridge = (await composeBridge(server.url, { authorization: signIn })).read();
  await bridge.initialize();
  expect((await bridge.request(1, 'tools/list')).json.result).toBeDefined();

  accepts = false;
  bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'echo', arguments: {} } });
  for (let recoveries = 1; recoveries <= MAX_RECOVERIES; recoveries++) {
    await signIn.recoveries.until(() => signIn.recoveries.count() >= recoveries);
    signIn.succeed(TOKEN);
  }
  const { error } = (await bridge.answer(2)).json;
  expect(error.message).toBe('The server refused every token (401).');
  expect(error.data).toEqual({ mayHaveRun: false });
  expect(signIn.asked).toBe(MAX_RECOVERIES);
});

it('a token that takes longer than the era probe does not make the server a legacy one', async () => {
  await using server = await ModernMcpServer.start();
  let obtained = false;
  // The server's time to answer is over at once while there is no token, and never after that.
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => {
      if (ms !== DISCOVER_MS) return systemClock.sleep(ms, signal);
      return obtained ? stillClock().sleep(ms, signal) : systemClock.sleep(0, signal);
    },
  };
  const authorization = {
    current: async () => {
      if (!obtained) await systemClock.sleep(100);
      obtained = true;
      return { token: TOKEN };
    },
    recover: () => Promise.reject(new Error('nothing was refused')),
    close: () => {},
  };
  const bridge = await composeBridge(server.url, { authorization, clock });
  await using host = bridge.read();
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'host', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const { json } = await host.request(1, 'tools/list', { _meta });
  expect(json.result.tools.length).toBeGreaterThan(1);
  expect(bridge.erasFound).toEqual(['modern']);
});

it('a start while the shared store is away waits behind the stand-in, and continues when it is back', async () => {
  await using server = await startMcpServer({});
  server.fail(
    { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } },
    ({ headers }) => headers.authorization !== `Bearer ${TOKEN}`,
  );
  let isAway = true;
  const authorization = {
    current: async () => {
      if (isAway)
        throw new StoreAwayError('the shared store at store.example:6379 is away', { applied: 'no' });
      return { token: TOKEN };
    },
    recover: () => Promise.reject(new Error('nothing was refused')),
    close: () => {},
  };
  const bridge = await composeBridge(server.url, { authorization, clock: fastClock(50) });
  await using host = bridge.read();
  expect((await host.initialize()).json.result.serverInfo).toBeDefined();
  const call = (id: number) => host.request(id, 'tools/call', { name: 'echo', arguments: { value: 1 } });
  expect((await call(1)).json.error.message).toContain('store.example:6379');
  isAway = false;
  let id = 1;
  await expect.poll(async () => (await call(++id)).json, { timeout: 5_000 }).toMatchObject({ result: {} });
});

it('a start while the shared store is away tries again after two seconds at most, however long it is away', async () => {
  await using server = await startMcpServer({});
  const tries = new Journal<'try'>();
  const authorization = {
    current: () => {
      tries.add('try');
      return Promise.reject(
        new StoreAwayError('the shared store at store.example:6379 is away', { applied: 'no' }),
      );
    },
    recover: () => Promise.reject(new Error('nothing was refused')),
    close: () => {},
  };
  // Longer pauses do not end.
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms <= 2_000 ? 0 : 2 ** 31 - 1, signal),
  };
  await using host = (await composeBridge(server.url, { authorization, clock })).read();
  expect((await host.initialize()).json.result.serverInfo).toBeDefined();
  await tries.until(() => tries.count() >= 20);
});

it('a modern server that answers subscriptions with 401: a timer tries again, without a sign-in', async () => {
  await using server = await ModernMcpServer.start();
  server.intercept(({ body }, response) => {
    if (body?.method !== 'subscriptions/listen') return false;
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return true;
  });
  const signIn = new HeldSignIn();
  signIn.succeed(TOKEN);
  const clock = { ...systemClock, sleep: fastClock(20).sleep };
  const bridge = await composeBridge(server.url, { authorization: signIn, clock });
  await using host = bridge.read();
  await host.initialize();
  await server.requests.until(() => server.of('subscriptions/listen').length >= 3);
  expect(signIn.asked).toBe(0);
  expect(signIn.recoveries.entries).toEqual([]);
});
