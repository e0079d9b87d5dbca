import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { STAND_IN_AFTER_MS } from '../../../../src/bridge/timing/limits.ts';
import { INITIALIZE_MS } from '../../../../src/remote/http/limits.ts';
import { type ComposeOptions, composeBridge } from '../../../peers/hosts/composed-bridge.ts';
import { type RawMcpServer, startRawMcpServer } from '../../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { fastClock, stillClock } from '../../../peers/net/fast-clock.ts';
import { HeldSignIn } from '../../../peers/worlds/held-sign-in.ts';

/** Eight seconds take 0.8. */
const SPEED = 10;
const INITIALIZE_RESULT = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {}, logging: {} },
  serverInfo: { name: 'slow', version: '1' },
  instructions: 'be patient',
};

/** A server whose first answer comes when the test says so, and a bridge to it that has just been told to initialize. */
async function slowServer(options: ComposeOptions & { clientInfo?: object; initializeResult?: object } = {}) {
  const server: RawMcpServer = await startRawMcpServer();
  const answers: (() => void)[] = [];
  server.behaviours.slow = ({ request, response }) => {
    const { id, method } = request.rpc;
    const send = (result: object) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    if (method === 'initialize') answers.push(() => send(options.initializeResult ?? INITIALIZE_RESULT));
    else if (id === undefined) response.writeHead(202).end();
    else send({ method });
  };
  const bridge = (await composeBridge(server.address('slow', 'first'), options)).read();
  const { clientInfo = { name: 'test-host', version: '1' } } = options;
  const initialized = bridge.initialize({ clientInfo });
  await server.requests.waitFor(({ rpc }) => rpc.method === 'initialize');
  return {
    server,
    bridge,
    initialized,
    answer: () => answers[0]?.(),
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

describe('first contact with a slow server', () => {
  it("waits for the server's own answer, with all that the server declares", async () => {
    await using w = await slowServer();
    // Longer than the second after which a server that is known, or refuses, is stood in for.
    await delay(2_000);
    expect(w.bridge.answersTo('init')).toBe(0);
    w.answer();
    expect((await w.initialized).json.result).toEqual(INITIALIZE_RESULT);
    expect((await w.bridge.request(1, 'tools/call')).json.result).toEqual({ method: 'tools/call' });
  });

  it('waits 40 s for headers, for a server that is only being started', async () => {
    const limitsMs: (number | undefined)[] = [];
    await using w = await slowServer({
      onHttpRequest: ({ headersTimeoutMs }) => limitsMs.push(headersTimeoutMs),
    });
    w.answer();
    await w.initialized;
    expect(limitsMs[0] ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(INITIALIZE_MS);
    expect(INITIALIZE_MS).toBeGreaterThan(40_000);
  });

  it('answers a list with nothing after its wait, and notifies the host when the server is there', async () => {
    await using w = await slowServer({ clock: fastClock(SPEED) });
    await w.initialized;
    // An error would be the end of the whole server in some hosts.
    expect((await w.bridge.request(1, 'tools/list')).json.result).toEqual({ tools: [] });
    w.answer();
    await w.bridge.received.waitFor(({ json }) => json.method === 'notifications/tools/list_changed');
  });

  it('answers from last time for a known server', async () => {
    const initialize = { ...INITIALIZE_RESULT, serverInfo: { name: 'known', version: '3' } };
    await using w = await slowServer({ remembered: { initialize } });
    expect((await w.initialized).json.result).toMatchObject({
      serverInfo: { name: 'known' },
      instructions: 'be patient',
    });
  });

  it.each([
    ['test-host', 8_000],
    ['@cline/core', 400],
  ])('answers %s with a stand-in after %d ms, with everything the server might offer', async (name, ms) => {
    const clock = fastClock(SPEED);
    const before = clock.monotonic();
    await using w = await slowServer({ clock, clientInfo: { name, version: '1' } });
    const { result } = (await w.initialized).json;
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(ms - 20);
    expect(result.serverInfo.name).toBe('mcp-drawbridge');
    expect(Object.keys(result.capabilities).sort()).toEqual([
      'completions',
      'logging',
      'prompts',
      'resources',
      'tools',
    ]);
    expect(result.capabilities.resources).toEqual({ listChanged: true, subscribe: true });
  });

  it('waits less for a host with a short timeout', async () => {
    // On this clock the wait of other hosts never ends.
    const clientInfo = { name: '@cline/core', version: '0.0.0' };
    await using w = await slowServer({ clock: stillClock(STAND_IN_AFTER_MS - 1), clientInfo });
    expect((await w.initialized).json.result.serverInfo.name).toBe('mcp-drawbridge');
  });

  it('accepts a log level meanwhile, and sends it to the server later', async () => {
    await using w = await slowServer({ clock: fastClock(SPEED) });
    await w.initialized;
    expect((await w.bridge.request(1, 'logging/setLevel', { level: 'error' })).json.result).toEqual({});
    expect(w.server.methodCount('logging/setLevel')).toBe(0);
    w.answer();
    const told = await w.server.requests.waitFor(({ rpc }) => rpc.method === 'logging/setLevel');
    expect(told.rpc.params).toEqual({ level: 'error' });
    expect((await w.bridge.request(2, 'logging/setLevel', { level: 'info' })).json.result.method).toBe(
      'logging/setLevel',
    );
  });

  it('answers a call for something the server turns out not to have with an error', async () => {
    const initializeResult = { ...INITIALIZE_RESULT, capabilities: { tools: {} } };
    await using w = await slowServer({ clock: fastClock(SPEED), initializeResult });
    await w.initialized;
    await w.bridge.request(1, 'logging/setLevel', { level: 'error' });
    w.answer();
    expect((await w.bridge.request(2, 'tools/call')).json.result).toBeDefined();
    expect((await w.bridge.request(3, 'logging/setLevel', { level: 'info' })).json.result).toEqual({});
    expect((await w.bridge.request(4, 'prompts/list')).json.result).toEqual({ prompts: [] });
    expect((await w.bridge.request(5, 'resources/list')).json.result).toEqual({ resources: [] });
    const subscribed = await w.bridge.request(6, 'resources/subscribe', { uri: 'x:y' });
    expect(subscribed.json.error.code).toBe(-32601);
    // The server speaks for itself where it may know more than it declared.
    expect((await w.bridge.request(7, 'completion/complete')).json.result.method).toBe('completion/complete');
    expect(w.server.methodCount('logging/setLevel')).toBe(0);
  });
});

describe('a stand-in that does not wait, as no answer is on its way', () => {
  /** The eight seconds for which an answer would be waited for never pass. */
  const LESS_THAN_8_S = stillClock(2_500);

  it('the connection is refused', async () => {
    await using bridge = (await composeBridge('http://127.0.0.1:1/mcp', { clock: LESS_THAN_8_S })).read();
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('mcp-drawbridge');
  });

  it('a sign-in is needed, as the server says late', async () => {
    await using server = await startRawMcpServer();
    let refuse: () => void = () => undefined;
    server.behaviours.protected = ({ response }) => {
      refuse = () => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    };
    const options = { authorization: new HeldSignIn(), clock: LESS_THAN_8_S };
    await using bridge = (await composeBridge(server.address('protected', 'first'), options)).read();
    const initialized = bridge.initialize();
    await server.requests.waitFor(({ rpc }) => rpc.method === 'initialize');
    await delay(1_500);
    expect(bridge.answersTo('init')).toBe(0);
    refuse();
    expect((await initialized).json.result.serverInfo.name).toBe('mcp-drawbridge');
  });
});
