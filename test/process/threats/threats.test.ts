import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { type RawHost, startRawHost } from '../../peers/hosts/raw-host.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';
import { type Behaviour, json, silence, text, trickle } from '../../peers/net/web-origin.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { peakMemoryMib, processesDuring } from '../../peers/processes/processes.ts';
import { isLinux } from '../../peers/processes/tools.ts';
import { refusal } from '../../peers/vendors/vendor.ts';
import { createOAuthWorld } from '../../peers/worlds/oauth-world.ts';
import { startThreatProgram } from '../../peers/worlds/threats/threat-program.ts';
import { CANARIES, deviceAnswer } from '../../peers/worlds/threats/threat-world.ts';

/** .github/SECURITY.md, attacks 2–5, 14–16 and 24 on the built program: what it starts, what it prints, what it costs. */

const call = { name: 'echo', arguments: {} };
const MIB = 1024 ** 2;
const MEMORY_LIMIT_MIB = 256;

/** What the host is told; a sign-in that fails later than the stand-in answers fails the first call. */
async function failure(host: RawHost): Promise<string> {
  const initializeAnswer = await host.initialize();
  const { error } =
    initializeAnswer.error === undefined
      ? await host.request('tools/call', call, { timeoutMs: 30_000 })
      : initializeAnswer;
  return error?.message ?? 'no error';
}

describe.concurrent('SECURITY.md, attacks 2, 4, 5, 14: one sign-in with every channel observed', () => {
  test.each([
    ['an ordinary address, as a control', () => '/authorize'],
    [
      'shell metacharacters in the address',
      (marker: string) =>
        `/authorize?a=$(touch\${IFS}${marker})&b=\`touch\${IFS}${marker}\`;touch\${IFS}${marker}|x&c='"<>^%25`,
    ],
  ])('%s', async (_, endpoint) => {
    let marker = '';
    await using world = await startThreatProgram(() => ({
      authority: { metadata: ({ origin }) => ({ authorization_endpoint: `${origin}${endpoint(marker)}` }) },
    }));
    marker = join(world.home.folder, 'marker');
    const host = world.start();
    const signedIn = host.initialize().then(() => host.request('tools/call', call));
    const seen = await processesDuring(world.home.folder, signedIn);
    // The bridge, the sign-in and the browser, where it was slow enough.
    expect(seen.length).toBeGreaterThan(isLinux() ? 1 : -1);
    expect((await signedIn).result).toBeDefined();
    world.authority.forgetAccessTokens();
    expect((await host.request('tools/call', call)).result).toBeDefined();
    const [opened] = world.browser.opened;
    expect(world.browser.opened).toHaveLength(1);
    expect(opened?.argv).toEqual([opened?.address]);
    expect(opened?.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/authorize\?[\w\-.~:/?#[\]@!*+,=&%]+$/);
    await expect(stat(marker)).rejects.toThrow('ENOENT');
    // The browser prints on both of its outputs; the host hears none of it.
    host.assertPure();
    const oracle = await world.oracle(seen);
    expect(oracle.leaks()).toEqual([]);
    expect(oracle.seenAtHome()).toEqual(
      expect.arrayContaining(['header', 'cookie', 'query', 'session', 'code', 'refresh']),
    );
    expect(world.stranger.connections).toBe(0);
  });

  test('SECURITY.md, attacks 1, 3: nothing is started for an address that reads as a flag or a program', async () => {
    await using world = await startThreatProgram(
      () => ({
        authority: {
          metadata: () => ({ authorization_endpoint: '--help' }),
          other: ({ path }, { origin }) =>
            path === '/device'
              ? { body: { ...deviceAnswer(origin), verification_uri: '--help' } }
              : undefined,
        },
      }),
      'forbidden',
    );
    const hosts = [world.start(), world.start('--grant', 'device_code')];
    for (const host of hosts) {
      expect(await failure(host)).toContain('"--help" is not an absolute URL');
      host.assertPure();
    }
    expect((await world.oracle()).leaks()).toEqual([]);
    // Closing fails where the browser was started.
  });

  test('SECURITY.md, attack 24: hostile texts reach host, stderr, log and status without terminal control sequences', async () => {
    const said = `\u001b[2J\u001b]0;x\u0007\r\nmcp-drawbridge: fine \u202e\u2066\u009b31m ${'x'.repeat(5_000)}`;
    await using world = await startThreatProgram(
      () => ({ authority: { token: () => refusal('invalid_request', said) } }),
      'follow',
    );
    const host = world.start();
    const message = await failure(host);
    expect(message).toContain('invalid_request');
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const status = await runProgram(['status'], world.env);
    const logs = join(world.home.state, 'logs');
    const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), 'utf8')));
    for (const output of [host.stderr, status.stdout, status.stderr, ...texts]) {
      for (const line of output.split('\n')) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(output).not.toMatch(/^mcp-drawbridge: fine/m);
    }
    expect((await world.oracle()).leaks()).toEqual([]);
  });
});

describe.concurrent('SECURITY.md, attack 15: oversized metadata', () => {
  const endless: Behaviour = (_, response) => {
    response.on('error', () => {});
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(64 * 1024)));
    };
    response.on('drain', more);
    more();
  };
  const bomb = gzipSync(Buffer.alloc(200 * MIB), { level: 1 }).subarray(0, 200 * 1024);

  test.each<[string, Behaviour | undefined, RegExp]>([
    ['none, as a control', undefined, /regist/],
    ['silence', silence, /within 10 s/],
    ['a byte now and then', trickle, /within 10 s/],
    ['no end', endless, /larger than 256 KiB/],
    ['a bomb', text(bomb, 200, { 'content-encoding': 'gzip' }), /larger than 256 KiB/],
  ])('%s: an error that says so, below 256 MiB', async (_, behaviour, said) => {
    await using world = await createOAuthWorld();
    await using home = await createTemporaryHome();
    await using browser = await createFakeBrowser(home.folder, 'forbidden');
    world.resource.on('/mcp', json({}, 401, { 'www-authenticate': 'Bearer' }));
    if (behaviour !== undefined) world.authorization.on('/.well-known/oauth-authorization-server', behaviour);
    const args = [world.server.href, '--wait', '--header', `X-Api-Key: ${CANARIES.header}`];
    await using host = startRawHost(args, { env: home.env({ BROWSER: browser.command }) });
    const answer = failure(host);
    const peak = peakMemoryMib(home.folder, answer);
    expect(await answer).toMatch(said);
    expect(await peak).toBeLessThan(MEMORY_LIMIT_MIB);
    expect(JSON.stringify(world.authorization.requests.entries)).not.toContain(CANARIES.header);
  });
});

describe.concurrent('SECURITY.md, attack 16: a line of 2 GB', () => {
  const CHUNK = Buffer.alloc(MIB, 0x78);
  const LINES = Buffer.from(`data: ${'x'.repeat(1_017)}\n`.repeat(1_024));

  test.each([
    ['in one line of an event stream', 'text/event-stream', 'data: ', CHUNK],
    ['in many lines of one event', 'text/event-stream', '', LINES],
    ['in a JSON answer', 'application/json', '"', CHUNK],
  ])('%s: that call ends with an error, others are served, below 256 MiB', async (_, type, start, chunk) => {
    await using home = await createTemporaryHome();
    await using server = await startRawMcpServer();
    let sentMib = 0;
    server.behaviours.endless = ({ request, response }) => {
      if (request.rpc.method !== 'tools/call') {
        const answer = { jsonrpc: '2.0', id: request.rpc.id, result: { sentMib, tools: [] } };
        return void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify(answer));
      }
      response.on('error', () => {});
      response.writeHead(200, { 'content-type': type });
      response.write(start);
      const more = () => {
        while (!response.destroyed && sentMib < 2_048) {
          sentMib++;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on('drain', more);
      more();
    };
    await using host = startRawHost([server.address('endless')], { env: home.env() });
    const served = async () => {
      await host.initialize();
      const big = host.request('tools/call', call);
      expect((await host.request('resources/read')).result).toBeDefined();
      const { error } = await big;
      expect(error?.message).toContain(`more than ${32 * MIB} bytes`);
      expect((await host.request('resources/read')).result).toBeDefined();
    };
    const work = served();
    expect(await peakMemoryMib(home.folder, work)).toBeLessThan(MEMORY_LIMIT_MIB);
    expect(sentMib).toBeGreaterThan(32);
    host.assertPure();
    host.assertOneAnswerEach();
  });
});
