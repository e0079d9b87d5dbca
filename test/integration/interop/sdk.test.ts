import { expect, it } from 'vitest';
import { startSdkAuthorizationServer } from '../../peers/authorization-servers/sdk-authorization-server.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { BridgeWorld, type BridgeWorldOptions } from '../../peers/worlds/bridge-world.ts';

/** The official SDK's router, with which many servers are their own authorization server. */
async function world(how: BridgeWorldOptions) {
  const authority = await startSdkAuthorizationServer({ consent: 'page' });
  const server = await startMcpServer({ authority, scopesSupported: ['mcp:tools'], json: true });
  const person = await BridgeWorld.to(server.url, [], how);
  const close = async () => {
    await person[Symbol.asyncDispose]();
    await server.close();
    await authority.close();
  };
  return { authority, server, person, [Symbol.asyncDispose]: close };
}

it('signs in on its page, refreshes with rotation, and signs out', async () => {
  await using w = await world({ browse: { answer: 'allow' } });
  expect(await w.person.tools()).toContain('echo');
  for (const value of ['first lapse', 'second lapse']) {
    w.authority.tokens.revokeAll();
    const call = { name: 'echo', arguments: { value } };
    const { result } = (await w.person.bridge.request(value, 'tools/call', call)).json;
    expect(JSON.stringify(result.content)).toContain(value);
    // Told that the new token works, or two refusals in a row would be one too many.
    await w.person.bridge.request(`after the ${value}`, 'tools/list');
  }
  const counted = { registrations: 1, pagesOpened: 1, codeExchanges: 1, refreshes: 2, replays: 0 };
  expect(w.authority.counters).toMatchObject(counted);
  const accessToken = (await w.person.record())?.tokens?.accessToken;
  expect(await w.person.logout()).toMatchObject({ outcome: 'done' });
  expect(w.authority.counters.revocations).toBe(2);
  const headers = { authorization: `Bearer ${accessToken}` };
  expect((await fetch(w.server.url, { method: 'POST', headers })).status).toBe(401);
});

it('shows the person who denies on its page that access was denied', async () => {
  await using w = await world({ browse: { answer: 'deny' } });
  expect(JSON.stringify(await w.person.tools())).toContain('declined');
  expect(w.authority.counters).toMatchObject({ denied: 1, codeExchanges: 0 });
});
