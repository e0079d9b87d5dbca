import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeBrowser, type FakeBrowser } from '../../peers/browsers/browser.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { type RawHost, startRawHost } from '../../peers/hosts/raw-host.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { carries, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { processesOf } from '../../peers/processes/processes.ts';
import { isPosix } from '../../peers/processes/tools.ts';

let home: TemporaryHome;
let browser: FakeBrowser;

beforeEach(async () => {
  home = await createTemporaryHome();
  browser = await createFakeBrowser(home.folder, 'forbidden');
});

afterEach(async () => {
  await browser.close();
  await home.close();
});

const start = (args: readonly string[], env: Record<string, string> = {}) =>
  startRawHost(args, { env: home.env({ BROWSER: browser.command, ...env }) });
const slow = (name: string) => ({ name: 'slow', arguments: { name } });

/** Resident memory of a process, in MiB. */
async function residentMiB(host: RawHost): Promise<number> {
  const status = await readFile(`/proc/${host.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

describe('end of the process', () => {
  it('EOF with a pending call: the response, DELETE, exit 0', async () => {
    await using server = await startMcpServer({});
    await using host = start([server.url]);
    await host.initialize();
    const answer = host.request('tools/call', slow('a'));
    await server.calls.started('a');
    host.endStdin();
    await server.calls.release('a', 'in time');
    expect(JSON.stringify((await answer).result)).toContain('in time');
    const exit = await host.closed;
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(server.counters.sessionsClosed).toBe(1);
    host.assertPure();
  });

  it('EOF with a call that takes longer than a host would wait: its response, exit 0', async () => {
    await using server = await startMcpServer({});
    await using host = start([server.url]);
    await host.initialize();
    const answer = host.request('tools/call', slow('a'));
    await server.calls.started('a');
    host.endStdin();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await server.calls.release('a', 'at last');
    expect(JSON.stringify((await answer).result)).toContain('at last');
    expect(await host.closed).toMatchObject({ code: 0, signal: null });
    host.assertPure();
  });

  it('EOF with a call that is never answered: an error, exit 1', async () => {
    await using server = await startMcpServer({});
    await using host = start([server.url]);
    await host.initialize();
    const answer = host.request('tools/call', slow('a'), { timeoutMs: 30_000 });
    await server.calls.started('a');
    host.endStdin();
    expect((await answer).error?.data).toEqual({ mayHaveRun: true });
    expect(await host.closed).toMatchObject({ code: 1, signal: null });
    host.assertPure();
    host.assertOneAnswerEach();
  });

  it('EOF with --wait, then SIGTERM: an error, exit 0', async () => {
    await using server = await startMcpServer({});
    await using host = start([server.url, '--wait']);
    await host.initialize();
    const answer = host.request('tools/call', slow('a'));
    await server.calls.started('a');
    host.endStdin();
    host.kill('SIGTERM');
    expect((await answer).error?.data).toEqual({ mayHaveRun: true });
    expect(await host.closed).toMatchObject({ code: 0, signal: null });
  });

  it.skipIf(!isPosix())('EOF with --wait: it does not outlive its parent', async () => {
    await using server = await startMcpServer({});
    // A shell in between, whose end is not the end of anything that the bridge reads or writes.
    const line = '"$0" "$@" <&3 3<&- & wait';
    const shell = spawn('sh', ['-c', `exec 3<&0; ${line}`, process.execPath, PROGRAM, server.url, '--wait'], {
      env: home.env({ BROWSER: browser.command }),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const message = (id: number | undefined, method: string, params: object) =>
      shell.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const clientInfo = { name: 'script', version: '1' };
    message(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    message(undefined, 'notifications/initialized', {});
    message(2, 'tools/call', slow('a'));
    await server.calls.started('a');
    shell.stdin.end();
    shell.kill('SIGKILL');
    await expect.poll(() => server.counters.sessionsClosed, { timeout: 15_000 }).toBe(1);
    await expect
      .poll(async () => (await processesOf(home.folder)).filter(({ argv }) => argv !== ''), {
        timeout: 15_000,
      })
      .toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s: a pending call is answered although it does not finish, exit 0',
    async (signal) => {
      await using server = await startMcpServer({});
      await using host = start([server.url]);
      await host.initialize();
      const answer = host.request('tools/call', slow('a'));
      await server.calls.started('a');
      host.kill(signal);
      expect((await answer).error?.data).toEqual({ mayHaveRun: true });
      const exit = await host.closed;
      expect(exit).toMatchObject({ code: 0, signal: null });
      expect(server.counters.sessionsClosed).toBe(1);
      host.assertPure();
      host.assertOneAnswerEach();
    },
  );

  it('EPIPE: exits quietly', async () => {
    await using server = await startMcpServer({});
    await using host = start([server.url]);
    await host.initialize();
    host.closeStdout();
    host.send({ jsonrpc: '2.0', id: 'gone', method: 'tools/list' });
    const exit = await host.exited;
    expect(exit.code).toBe(0);
    expect(host.stderr).toBe('');
  });

  it('a large response at the end arrives complete, however slowly it is read', async () => {
    await using server = await startRawMcpServer();
    await using host = start([`${server.address('huge')}?bytes=10000000`]);
    await host.initialize();
    host.pauseReading();
    host.send({ jsonrpc: '2.0', id: 'big', method: 'tools/call' });
    await server.requests.waitFor(({ rpc }) => rpc.id === 'big');
    host.endStdin();
    host.resumeReading();
    const exit = await host.closed;
    expect(exit.code).toBe(0);
    host.assertPure();
    expect(host.bytesRead).toBeGreaterThan(10_000_000);
  });
});

describe('back-pressure', () => {
  it('a host that does not read slows the server, costs no memory, loses nothing, and can still send', async () => {
    await using server = await startRawMcpServer();
    await using host = start([server.address('endless')]);
    await host.initialize();
    host.pauseReading();
    host.send({ jsonrpc: '2.0', id: 'endless', method: 'tools/call' });
    // The server's socket is full when what it has sent no longer grows.
    let sent = -1;
    for (let looks = 0; looks < 100 && sent !== server.bytesSent; looks++) {
      sent = server.bytesSent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(sent).toBeGreaterThan(100_000);
    expect(sent).toBeLessThan(50_000_000);
    expect(await residentMiB(host)).toBeLessThan(150);
    host.notify('notifications/heard', {});
    await server.requests.waitFor(({ rpc }) => rpc.method === 'notifications/heard');
    server.enough = true;
    host.resumeReading();
    await host.answer('endless');
    const sequences = host.lines.entries
      .map(({ message }) => (message?.params as { data?: { sequence?: number } } | undefined)?.data?.sequence)
      .filter((sequence) => sequence !== undefined);
    expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, index) => index));
    expect(sequences.length).toBeGreaterThan(100);
    host.assertPure();
  });

  it('an unread stderr blocks nothing', async () => {
    await using server = await startMcpServer({});
    await using host = start([server.url, '--debug']);
    host.child.stderr.pause();
    await host.initialize();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, () =>
          host.request('tools/call', { name: 'echo', arguments: { value: 'x'.repeat(500) } }),
        ),
      );
    }
    host.assertPure();
    host.assertOneAnswerEach();
  });
});

describe('a static Authorization header', () => {
  it('turns OAuth off: a 401 is an error that says so and opens no browser, and no output shows the value', async () => {
    await using server = await startMcpServer({});
    server.fail(
      { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } },
      carries('initialize'),
    );
    await using host = start([server.url, '--debug', '--header', `Authorization: Bearer \${CANARY}`], {
      CANARY: 'canary-secret-1',
    });
    const answer = await host.initialize();
    expect(answer.error?.message).toContain('Authorization header');
    expect(server.requests.entries[0]?.headers.authorization).toBe('Bearer canary-secret-1');
    host.endStdin();
    await host.closed;
    expect(host.stderr + host.lines.entries.map(({ text }) => text).join()).not.toContain('canary-secret-1');
    expect(browser.opened).toEqual([]);
  });
});

describe('stdout', () => {
  it.each(['html', 'reset', 'silent', 'two-answers', 'not-jsonrpc', 'huge?bytes=50000000'])(
    'contains only JSON-RPC lines when the server does: %s',
    async (behaviour) => {
      await using server = await startRawMcpServer();
      await using host = start([server.address(behaviour), '--debug', '--max-message-size', '100000']);
      await host.initialize();
      host.send('nonsense');
      host.send({ jsonrpc: '2.0', id: 'x', method: 'tools/call' });
      await server.requests.waitFor(({ rpc }) => rpc.id === 'x');
      host.endStdin();
      // 1: what is never answered is told so.
      expect((await host.closed).code).toBe(behaviour === 'silent' ? 1 : 0);
      host.assertPure();
      host.assertOneAnswerEach();
      expect(host.lines.count(({ message }) => message?.id === 'x')).toBe(1);
    },
  );
});
