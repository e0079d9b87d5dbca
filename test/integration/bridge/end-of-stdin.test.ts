import { describe, expect, it } from 'vitest';
import { CLOSING_GRACE_MS } from '../../../src/bridge/timing/limits.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { fastClock, stillClock } from '../../peers/net/fast-clock.ts';
import { HeldSignIn } from '../../peers/worlds/held-sign-in.ts';

/** The ten seconds that a bridge stays take half of one. */
const SPEED = 20;

/** A bridge whose host has asked for something slow and says no more. */
async function atTheEnd(server: PeerMcpServer, options: Parameters<typeof composeBridge>[1] = {}) {
  const bridge = (await composeBridge(server.url, options)).read();
  await bridge.initialize();
  const params = { name: 'slow', arguments: { name: 'a' } };
  bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  await server.calls.started('a');
  return { bridge, ended: bridge.end(), [Symbol.asyncDispose]: () => bridge[Symbol.asyncDispose]() };
}

describe('stdin ends while a call is under way', () => {
  it('without --wait, waits a limited time for the answer, and then reports what is missing', async () => {
    await using server = await startMcpServer({});
    await using end = await atTheEnd(server, { clock: fastClock(SPEED) });
    expect(await end.ended).toBe('unanswered');
    const { error } = (await end.bridge.answer(1)).json;
    expect(error.data).toEqual({ mayHaveRun: true });
    expect(error.message).toMatch(/Stdin ended.*--wait/);
    expect(server.counters.sessionsClosed).toBe(1);
  });

  it('with --wait, waits for the answer however long it takes', async () => {
    await using server = await startMcpServer({});
    const clock = fastClock(SPEED);
    await using end = await atTheEnd(server, { clock, wait: true });
    // More than any patience on its clock.
    await clock.sleep(60_000);
    expect(end.bridge.answersTo(1)).toBe(0);
    await server.calls.release('a', 'at last');
    expect((await end.bridge.answer(1)).json.result.content[0].text).toBe('at last');
    expect(await end.ended).toBe('answered');
  });

  it.each([true, false])('SIGTERM ends the wait (--wait: %s)', async (wait) => {
    await using server = await startMcpServer({});
    await using end = await atTheEnd(server, { wait });
    end.bridge.stop('signal');
    expect((await end.bridge.answer(1)).json.error.data).toEqual({ mayHaveRun: true });
    // Who asks for the end is not surprised by it.
    expect(await end.ended).toBe('answered');
  });

  it.each([true, false])('the end of the parent process ends the wait (--wait: %s)', async (wait) => {
    await using server = await startMcpServer({});
    let parentIsGone = false;
    await using end = await atTheEnd(server, { wait, parentIsGone: () => parentIsGone });
    parentIsGone = true;
    await end.ended;
    expect(end.bridge.answersTo(1)).toBe(1);
    expect(server.counters.sessionsClosed).toBe(1);
  });

  it('a closed stdout ends the wait', async () => {
    await using server = await startMcpServer({});
    await using end = await atTheEnd(server, { wait: true });
    end.bridge.stop('host-gone');
    await end.ended;
    expect(end.bridge.answersTo(1)).toBe(0);
  });

  it('does not wait for a cancelled call', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('silent'), { wait: true })).read();
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call' });
    await server.requests.waitFor(({ rpc }) => rpc.id === 1);
    bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(await bridge.end()).toBe('answered');
    expect(bridge.answersTo(1)).toBe(0);
  });

  it("answers a server's ping, and refuses its other requests in the host's name", async () => {
    await using server = await startRawMcpServer();
    server.behaviours.asking = ({ response, request }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      ask = (id, method) => response.write(`data: {"jsonrpc":"2.0","id":"${id}","method":"${method}"}\n\n`);
      answer = () => response.end(`data: {"jsonrpc":"2.0","id":${request.rpc.id},"result":{}}\n\n`);
    };
    let ask: (id: string, method: string) => void = () => undefined;
    let answer: () => void = () => undefined;
    await using bridge = (await composeBridge(server.address('asking'), { wait: true })).read();
    await bridge.initialize({ capabilities: { roots: {} } });
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call' });
    await server.requests.waitFor(({ rpc }) => rpc.id === 1);
    const ended = bridge.end();
    await new Promise(setImmediate);
    ask('roots', 'roots/list');
    const refused = await server.requests.waitFor(({ rpc }) => rpc.id === 'roots');
    expect(JSON.parse(refused.body).error.message).toContain('ended its input');
    ask('ping', 'ping');
    const pong = await server.requests.waitFor(({ rpc }) => rpc.id === 'ping');
    expect(JSON.parse(pong.body).result).toEqual({});
    answer();
    expect(await ended).toBe('answered');
    expect(bridge.received.count(({ json }) => json.method === 'roots/list')).toBe(0);
  });
});

describe('a signal while no request is pending at the server', () => {
  /** On this clock the stand-in answers, and the time that a signal leaves to calls in flight never ends. */
  const NO_GRACE = stillClock(CLOSING_GRACE_MS - 1);

  /** A bridge whose person has the page before them. */
  async function whileSigningIn() {
    const server = await startMcpServer({});
    server.fail({ kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } });
    const authorization = new HeldSignIn();
    const bridge = (await composeBridge(server.url, { authorization, clock: NO_GRACE })).read();
    return {
      server,
      authorization,
      bridge,
      [Symbol.asyncDispose]: async () => {
        await bridge[Symbol.asyncDispose]();
        await server.close();
      },
    };
  }

  it.each([
    ['tools/list', {}],
    ['tools/call', { name: 'echo', arguments: {} }],
  ])('answers %s that waits for a sign-in at once, and exits', async (method, params) => {
    await using w = await whileSigningIn();
    await w.bridge.initialize();
    w.bridge.send({ jsonrpc: '2.0', id: 1, method, params });
    // It waits for the session, and is sent when there is one.
    w.bridge.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
    // Answered here, after the others were taken.
    await w.bridge.request(2, 'ping');
    w.bridge.stop('signal');
    expect(await w.bridge.done).toBe('answered');
    const { error } = (await w.bridge.answer(1)).json;
    expect(error).toMatchObject({ code: -32000, data: { mayHaveRun: false } });
    expect(error.message).toContain('The bridge was ended');
    expect(w.bridge.answersTo(1)).toBe(1);
  });

  it('answers a waiting sign_in tool at once', async () => {
    await using w = await whileSigningIn();
    await w.bridge.initialize();
    w.authorization.show('https://as.example/authorize?state=x');
    expect((await w.bridge.request(1, 'tools/list')).json.result.tools[0].name).toBe('sign_in');
    w.bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'sign_in' } });
    await w.bridge.request(3, 'ping');
    w.bridge.stop('signal');
    expect(await w.bridge.done).toBe('answered');
    expect((await w.bridge.answer(2)).json.error.data).toEqual({ mayHaveRun: false });
  });

  it('answers a pending initialize at once', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('silent', 'first'), { clock: NO_GRACE })).read();
    const initialized = bridge.initialize();
    await server.requests.waitFor(({ rpc }) => rpc.method === 'initialize');
    bridge.stop('signal');
    expect((await initialized).json.error.message).toContain('The bridge was ended');
    expect(await bridge.done).toBe('answered');
  });
});
