import { expect, it } from 'vitest';
import { BROWSER_HEAD_START_MS } from '../../../../src/bridge/timing/limits.ts';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import { composeBridge, type HostMessage } from '../../../peers/hosts/composed-bridge.ts';
import { ModernMcpServer } from '../../../peers/mcp-servers/modern-mcp-server.ts';
import { fastClock } from '../../../peers/net/fast-clock.ts';
import { HeldSignIn } from '../../../peers/worlds/held-sign-in.ts';

const ADDRESS = 'https://as.example/authorize?state=x';
const TOKEN = 'the-token';
const SPEED = 50;

/** A host of revision 2026-07-28, and a server of the same that wants a token. */
async function world(capabilities: object, clock: Clock = systemClock) {
  const server = await ModernMcpServer.start();
  server.intercept(({ headers }, response) => {
    if (headers.authorization === `Bearer ${TOKEN}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return true;
  });
  const signIn = new HeldSignIn();
  const bridge = await composeBridge(server.url, {
    authorization: signIn,
    clock,
    remembered: { era: 'modern' },
  });
  bridge.read();
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'host', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  const call = (id: number, rest: object = {}) =>
    bridge.request(id, 'tools/call', { name: 'echo', arguments: { value: 1 }, _meta, ...rest });
  return {
    server,
    signIn,
    bridge,
    call,
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const able = { elicitation: { form: {}, url: {} } };
const text = ({ json }: HostMessage) => json.result.content[0].text;

it('a call is answered with a request to open the address; the retried call reaches the server without that answer', async () => {
  await using w = await world(able);
  w.signIn.show(ADDRESS);
  const { result } = (await w.call(1)).json;
  expect(result.resultType).toBe('input_required');
  expect(result).not.toHaveProperty('requestState');
  const [[key, asked]] = Object.entries<{ method: string; params: object }>(result.inputRequests) as [
    [string, { method: string; params: object }],
  ];
  expect(asked).toEqual({
    method: 'elicitation/create',
    params: { mode: 'url', url: ADDRESS, message: 'Sign in to use this server.' },
  });
  const again = w.call(2, { inputResponses: { [key]: { action: 'accept' } } });
  await w.signIn.recoveries.until(() => w.signIn.recoveries.count() >= 2);
  w.signIn.succeed(TOKEN);
  expect(text(await again)).toBe('1');
  const calls = w.server.requests.entries.filter(({ body }) => body?.method === 'tools/call');
  expect(calls.at(-1)?.body.params).not.toHaveProperty('inputResponses');
  expect(w.bridge.received.count(({ json }) => json.method === 'elicitation/create')).toBe(0);
});

it('the retry of such a call waits, and fails with the address', async () => {
  await using w = await world(able, fastClock(SPEED));
  w.signIn.show(ADDRESS);
  const { result } = (await w.call(1)).json;
  const [key = ''] = Object.keys(result.inputRequests);
  const { error } = (await w.call(2, { inputResponses: { [key]: { action: 'decline' } } })).json;
  expect(error).toMatchObject({ code: -32_000, data: { address: ADDRESS } });
});

it('a host that cannot show addresses gets the error', async () => {
  await using w = await world({ elicitation: {} }, fastClock(SPEED));
  w.signIn.show(ADDRESS);
  expect((await w.call(1)).json.error).toMatchObject({ code: -32_000, data: { address: ADDRESS } });
});

it('if a browser was opened, the request comes some seconds later', async () => {
  await using w = await world(able, fastClock(SPEED));
  w.signIn.browserOpened = true;
  const startedAt = performance.now();
  w.signIn.show(ADDRESS);
  expect((await w.call(1)).json.result.resultType).toBe('input_required');
  expect((performance.now() - startedAt) * SPEED).toBeGreaterThanOrEqual(BROWSER_HEAD_START_MS);
});

it('if a browser was opened and the sign-in completes meanwhile, the server answers the call', async () => {
  await using w = await world(able);
  w.signIn.browserOpened = true;
  w.signIn.show(ADDRESS);
  const call = w.call(1);
  await w.signIn.recoveries.until(() => w.signIn.recoveries.count() > 0);
  w.signIn.succeed(TOKEN);
  expect(text(await call)).toBe('1');
});
