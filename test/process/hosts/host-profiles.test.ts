import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLOSING_GRACE_MS } from '../../../src/bridge/timing/limits.ts';
import { LISTS } from '../../../src/protocol/list-methods.ts';
import type { AuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import type { FakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { HOST_PROFILES, type HostProfile } from '../../peers/hosts/host-profiles.ts';
import type { Message, RawHost } from '../../peers/hosts/raw-host.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

let world: ProgramWorld;
let browser: FakeBrowser;
let authority: AuthorizationServer;

beforeEach(async () => {
  world = await createProgramWorld('ignore');
  ({ browser, authority } = world);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** The program, and what the host sends it first; the name of the server that the host was told, and the capabilities. */
async function start({ clientInfo, protocolVersion, capabilities, discovers }: HostProfile) {
  const host = world.start();
  if (discovers) {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': clientInfo,
      'io.modelcontextprotocol/clientCapabilities': capabilities,
    };
    const discovered = await host.request('server/discover', { _meta: meta });
    if (discovered.error === undefined) return { host, meta, declared: declaredIn(discovered) };
    // The host falls back to what it knows of 2025.
    expect(discovered.error.code).toBe(-32601);
  }
  const answer = await host.request('initialize', { protocolVersion, capabilities, clientInfo });
  expect(answer.result).toMatchObject({ protocolVersion });
  host.notify('notifications/initialized');
  return { host, meta: undefined, declared: declaredIn(answer) };
}

const declaredIn = ({ result }: Message) => (result as { capabilities: object }).capabilities;

/** Asks for the lists as the host does, one after the other, and returns the names of the tools. */
async function listAll(
  { lists }: HostProfile,
  { host, meta, declared }: Awaited<ReturnType<typeof start>>,
): Promise<string[]> {
  let tools: string[] = [];
  for (const method of lists) {
    const { field, capability } = LISTS[method];
    if (!Object.hasOwn(declared, capability)) continue;
    const answer = await host.request(method, meta === undefined ? {} : { _meta: meta });
    const list = (answer.result as Record<string, { readonly name: string }[]> | undefined)?.[field];
    expect(list, `${method}: ${JSON.stringify(answer)}`).toBeInstanceOf(Array);
    if (method === 'tools/list') tools = (list ?? []).map(({ name }) => name);
  }
  return tools;
}

/** Calls a tool as a model would. */
async function call(host: RawHost, meta: object | undefined): Promise<unknown> {
  const params = { name: 'echo', arguments: { value: 1 }, ...(meta === undefined ? {} : { _meta: meta }) };
  return (await host.request('tools/call', params)).result;
}

/** Ends the program with the first thing that the host does for that; the milliseconds until it was gone. */
async function end(host: RawHost, [first]: HostProfile['ends']) {
  const from = host.atMs;
  if (first === 'stdin') host.endStdin();
  else host.kill(first);
  const exit = await host.closed;
  expect(exit).toMatchObject({ code: 0, signal: null });
  host.assertPure();
  host.assertOneAnswerEach();
  return exit.atMs - from;
}

describe.each(HOST_PROFILES)('$host', (profile) => {
  it("has the server's tools after the sign-in, and at the next start without one", async () => {
    const first = await start(profile);
    await using _ = first.host;
    const listed = listAll(profile, first);
    const [opened] = await browser.waitForOpened();
    await visit(opened?.address ?? '');
    expect(await listed).toContain('echo');
    expect(await call(first.host, first.meta)).toMatchObject({ content: [{ type: 'text', text: '1' }] });
    await end(first.host, profile.ends);

    const second = await start(profile);
    await using __ = second.host;
    expect(await listAll(profile, second)).toContain('echo');
    expect(await call(second.host, second.meta)).toMatchObject({ content: [{ type: 'text', text: '1' }] });
    await end(second.host, profile.ends);
    expect(browser.opened).toHaveLength(1);
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  });
});

describe.each(HOST_PROFILES.filter(({ ends }) => ends[0] !== 'stdin'))(
  '$host ends the program while its lists wait',
  (profile) => {
    it('the first signal is enough, and the sign-in goes on', async () => {
      const first = await start(profile);
      await using _ = first.host;
      first.host.send({ jsonrpc: '2.0', id: 'waits', method: 'tools/list' });
      const [opened] = await browser.waitForOpened();
      // Without a call in flight none of the time is taken that it would have.
      expect(await end(first.host, profile.ends)).toBeLessThan(CLOSING_GRACE_MS);
      expect((await first.host.answer('waits')).error?.data).toEqual({ mayHaveRun: false });

      await visit(opened?.address ?? '');
      const second = await start(profile);
      await using __ = second.host;
      expect(await listAll(profile, second)).toContain('echo');
      expect(browser.opened).toHaveLength(1);
    });
  },
);
