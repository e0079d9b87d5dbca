import { describe, expect, test } from 'vitest';
import { type CommandEnd, runProgram } from '../../peers/hosts/command.ts';
import { sentIn, written } from '../../peers/vendors/repeated.ts';
import { refusal, type VendorAnswer } from '../../peers/vendors/vendor.ts';
import { startThreatProgram } from '../../peers/worlds/threats/threat-program.ts';
import { addressOf, CANARIES, oracleOf } from '../../peers/worlds/threats/threat-world.ts';

/** The built program with servers that repeat what they are sent: nothing of that on stdout, on stderr, in the log, in a page or in a command's output. */

const call = { name: 'echo', arguments: {} };
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'modern', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const answers: [what: string, answer: (said: string) => VendorAnswer][] = [
  ['an error page', (body) => ({ status: 500, body })],
  ['a page of status 200', (body) => ({ body })],
  ['JSON that is no message', (text) => ({ body: { text } })],
  ['a content type', (said) => ({ headers: { 'content-type': encodeURIComponent(said) }, body: 'x' })],
];

describe.concurrent.each(answers)('%s', (_, answer) => {
  test.each(['legacy', 'modern'])('to a %s host', async (era) => {
    let number = 0;
    await using world = await startThreatProgram(({ authority }) => ({
      server: {
        mcp: (rpc, request) =>
          rpc.method === 'tools/call' && authority.issuedTo(request) !== undefined
            ? answer(written(sentIn(request, number++), 0))
            : undefined,
      },
    }));
    const host = world.start();
    if (era === 'legacy') await host.initialize();
    const params = era === 'legacy' ? call : { ...call, _meta: META };
    const said: string[] = [];
    for (let n = 0; n < 6; n++) {
      const { error } = await host.request('tools/call', params, { timeoutMs: 30_000 });
      said.push(error?.message ?? 'no error');
    }
    // Not of each: what comes first in it may be no secret, and the rest is cut.
    expect(said.filter((message) => message.includes('[redacted]')).length).toBeGreaterThan(2);
    host.assertPure();
    expect(number).toBeGreaterThanOrEqual(6);
    expect((await world.oracle()).leaks()).toEqual([]);
  });
});

test('a sign-in that the authorization server refuses, quoting the request', async () => {
  await using world = await startThreatProgram(() => ({
    authority: { token: (_form, request) => refusal('invalid_request', sentIn(request, 1)) },
  }));
  const host = world.start();
  const { error } = await host.initialize();
  const failed = error ?? (await host.request('tools/call', call, { timeoutMs: 30_000 })).error;
  expect(failed?.message).toContain('invalid_request');
  const status = await runProgram(['status'], world.env);
  const oracle = (await world.oracle()).place('status', () => [status.stdout, status.stderr]);
  expect(oracle.leaks()).toEqual([]);
});

test('each command names the server without the values of its query', async () => {
  await using world = await startThreatProgram();
  const { env } = world;
  const address = addressOf(world);
  const ends: CommandEnd[] = [];
  const run = async (...argv: string[]) => {
    const end = await runProgram(argv, env);
    ends.push(end);
    return end;
  };
  const header = ['--header', `X-Api-Key: ${CANARIES.header}`];
  const refused = await run('token', address, '--non-interactive');
  expect(refused.stderr).toContain('?api_key=…&mode=…');
  expect((await run('login', address, ...header)).stderr).toContain('?api_key=…&mode=…');
  expect((await run('login', address, ...header)).stderr).toContain('already');
  expect((await run('status')).stdout).toContain('?api_key=…&mode=…');
  expect(JSON.parse((await run('status', address, '--json')).stdout)).toMatchObject([
    { state: 'signed in', server: `${world.server.mcpUrl}?api_key=…&mode=…` },
  ]);
  expect((await run('logout', address)).stderr).toContain('?api_key=…&mode=…');
  // `token` has a flag of that name without a value: the value is an argument, and no port.
  expect((await run('token', address, ...header)).stderr).toContain('PORT');
  await run('import-mcp-remote', address);
  await run(`not-an-address?key=${CANARIES.query}`);
  await run(`${address}#fragment`);
  const said = ends.flatMap(({ stdout, stderr }) => [stdout, stderr]);
  const oracle = oracleOf(world).place('the commands', () => said);
  expect(oracle.leaks()).toEqual([]);
});
