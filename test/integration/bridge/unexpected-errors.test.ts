import { describe, expect, it } from 'vitest';
import type { Authorization } from '../../../src/auth/authorization.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import type { CachedServer } from '../../../src/protocol/server-cache.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';

/** An authorization that works, but for the next `failures` times that it is asked for a token: then it has a bug. */
class FaultyAuthorization implements Authorization {
  failures = 0;
  readonly told: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    warn: (event, fields) => void this.told.push(JSON.stringify([event, fields])),
  };

  async current(): Promise<undefined> {
    if (this.failures === 0) return undefined;
    this.failures--;
    throw new TypeError('nobody expects this');
  }

  recover(): Promise<never> {
    return Promise.reject(new Error('this server asks for no authorization'));
  }

  async close(): Promise<void> {}

  /** What was logged of the errors, each with the place in this file. */
  get stacks(): string[] {
    return this.told.filter(
      (text) => text.includes('nobody expects this') && text.includes('unexpected-errors.test.ts'),
    );
  }
}

const INTERNAL = { code: -32603, message: expect.stringContaining('Internal error') };

describe('an unexpected exception ends only one message', () => {
  it.each(['tools/call', 'tools/list', 'x-vendor/unheard-of'])(
    '%s: -32603, logged with its stack',
    async (method) => {
      await using server = await startRawMcpServer();
      const authorization = new FaultyAuthorization();
      await using bridge = (
        await composeBridge(server.address(), { authorization, logger: authorization.logger })
      ).read();
      await bridge.initialize();
      await server.requests.waitFor(({ rpc }) => rpc.method === 'notifications/initialized');
      await expect.poll(() => server.requests.count(({ method: verb }) => verb === 'GET')).toBe(1);
      authorization.failures = 1;
      const { json } = await bridge.request(1, method, {});
      expect(json.error).toEqual({ ...INTERNAL, data: { mayHaveRun: false } });
      expect(authorization.stacks).toHaveLength(1);
      const result = method === 'tools/list' ? { tools: [] } : { content: [] };
      expect((await bridge.request(2, method, {})).json.result).toEqual(result);
      expect(bridge.answersTo(1)).toBe(1);
    },
  );

  it('initialize: -32603, and the host may begin again', async () => {
    await using server = await startRawMcpServer();
    const authorization = new FaultyAuthorization();
    authorization.failures = 1;
    await using bridge = (
      await composeBridge(server.address(), { authorization, logger: authorization.logger })
    ).read();
    expect((await bridge.initialize({}, 'first')).json.error).toEqual(INTERNAL);
    expect(authorization.stacks).toHaveLength(1);
    expect((await bridge.initialize({}, 'second')).json.result.serverInfo.name).toBe('raw');
    expect((await bridge.request(1, 'a')).json.result).toEqual({ content: [] });
  });

  it('in notifications and responses of the host: the next messages are delivered, in order', async () => {
    await using server = await startRawMcpServer();
    const authorization = new FaultyAuthorization();
    await using bridge = (
      await composeBridge(server.address(), { authorization, logger: authorization.logger })
    ).read();
    await bridge.initialize();
    await bridge.request('ready', 'a');
    await expect.poll(() => server.requests.count(({ method }) => method === 'GET')).toBe(1);
    authorization.failures = 2;
    const notify = (method: string) => ({ jsonrpc: '2.0', method });
    bridge.send(notify('lost'), { jsonrpc: '2.0', id: 's1', result: {} }, notify('b'), notify('c'));
    await server.requests.waitFor(({ rpc }) => rpc.method === 'c');
    expect(server.requests.entries.map(({ rpc }) => rpc.method).slice(-2)).toEqual(['b', 'c']);
    expect(authorization.stacks).toHaveLength(2);
  });

  it('while a lost session is reopened: its calls get an error, the next call opens it', async () => {
    await using server = await startRawMcpServer({ session: 's' });
    let forgotten = false;
    const authorization = new FaultyAuthorization();
    server.behaviours.forgets = ({ request, response }) => {
      if (forgotten) {
        forgotten = false;
        authorization.failures = 1;
        return void response.writeHead(404).end();
      }
      const json = JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result: {} });
      response.writeHead(200, { 'content-type': 'application/json' }).end(json);
    };
    await using bridge = (
      await composeBridge(server.address('forgets'), { authorization, logger: authorization.logger })
    ).read();
    await bridge.initialize();
    await bridge.request(1, 'a');
    forgotten = true;
    expect((await bridge.request(2, 'a')).json.error.message).toContain('Internal error');
    expect((await bridge.request(3, 'a')).json.result).toEqual({});
    expect(server.methodCount('initialize')).toBe(2);
  });

  it('while a response is remembered: the host gets the response or an internal error, and the next call its own', async () => {
    await using server = await startRawMcpServer();
    const told: string[] = [];
    const logger = {
      ...silentLogger,
      warn: (event: string, fields: unknown) => void told.push(JSON.stringify([event, fields])),
    };
    let failures = 1;
    const onRemember = ({ initialize, lists }: CachedServer) => {
      if ((initialize ?? lists) !== undefined && failures-- > 0) throw new TypeError('nobody expects this');
    };
    await using bridge = (await composeBridge(server.address('well-stream'), { logger, onRemember })).read();
    expect((await bridge.initialize()).json.result.serverInfo.name).toBe('raw');
    failures = 1;
    expect((await bridge.request(1, 'tools/list')).json.error).toMatchObject(INTERNAL);
    expect((await bridge.request(2, 'tools/list')).json.result).toEqual({ tools: [] });
    expect(told.filter((text) => text.includes('nobody expects this'))).toHaveLength(2);
  });

  it('in a ping of the bridge: the next one goes out', async () => {
    await using server = await startRawMcpServer();
    const authorization = new FaultyAuthorization();
    await using bridge = (
      await composeBridge(server.address(), {
        authorization,
        logger: authorization.logger,
        pingIntervalMs: 50,
      })
    ).read();
    await bridge.initialize();
    await server.requests.waitFor(({ rpc }) => rpc.method === 'ping');
    authorization.failures = 1;
    await expect.poll(() => authorization.stacks.length).toBe(1);
    const before = server.methodCount('ping');
    await server.requests.until(() => server.methodCount('ping') > before);
  });
});
