import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/raw-mcp-server.ts';
import { fastClock } from '../../peers/net/fast-clock.ts';

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
  it('without --wait its answer is waited for, but not for ever, and what is missing is told', async () => {
    await using server = await startMcpServer({});
    await using end = await atTheEnd(server, { clock: fastClock(SPEED) });
    expect(await end.ended).toBe('unanswered');
    const { error } = (await end.bridge.answer(1)).json;
    expect(error.data).toEqual({ mayHaveRun: true });
    expect(error.message).toMatch(/Stdin ended.*--wait/);
    expect(server.counters.sessionsClosed).toBe(1);
  });

  it('with --wait its answer is waited for, however long it takes', async () => {
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

  it('nobody who reads stdout ends the wait', async () => {
    await using server = await startMcpServer({});
    await using end = await atTheEnd(server, { wait: true });
    end.bridge.stop('host-gone');
    await end.ended;
    expect(end.bridge.answersTo(1)).toBe(0);
  });

  it('a cancelled call is not waited for', async () => {
    await using server = await startRawMcpServer();
    await using bridge = (await composeBridge(server.address('silent'), { wait: true })).read();
    await bridge.initialize();
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call' });
    await server.requests.waitFor(({ rpc }) => rpc.id === 1);
    bridge.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(await bridge.end()).toBe('answered');
    expect(bridge.answersTo(1)).toBe(0);
  });

  it('what the server asks then is refused in the name of the host, and a ping answered', async () => {
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
