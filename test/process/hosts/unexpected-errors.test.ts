import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

let home: TemporaryHome;

beforeEach(async () => {
  home = await createTemporaryHome();
});

afterEach(() => home.close());

/** Preloaded into the program: fails in its process when a signal comes, as a bug in a timer or a forgotten promise would. */
const ERRORS = {
  'a timer that throws': `process.on('SIGUSR2', () => setTimeout(() => { throw new TypeError('stray error'); }));`,
  'a promise that nobody waits for': `process.on('SIGUSR2', () => void Promise.reject(new TypeError('stray error')));`,
};

it.each(Object.entries(ERRORS))(
  '%s: is logged with its stack, and the call in flight is answered',
  async (_, code) => {
    const preload = join(home.folder, 'fault.cjs');
    await writeFile(preload, code);
    await using server = await startRawMcpServer();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.behaviours.slow = async ({ request, response }) => {
      await released;
      const json = JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result: { late: true } });
      response.writeHead(200, { 'content-type': 'application/json' }).end(json);
    };
    await using host = startRawHost([server.address('slow')], {
      env: home.env(),
      nodeArgs: ['--require', preload],
    });
    await host.initialize();
    const answer = host.request('tools/call', { name: 'x' });
    await server.requests.waitFor(({ rpc }) => rpc.method === 'tools/call');
    host.kill('SIGUSR2');
    await expect.poll(() => host.stderr, { timeout: 15_000 }).toMatch(/stray error.*fault\.cjs/s);
    release();
    expect((await answer).result).toEqual({ late: true });
    host.endStdin();
    expect(await host.closed).toMatchObject({ code: 0, signal: null });
    host.assertPure();
  },
);
