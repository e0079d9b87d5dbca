import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, it } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';

// The SDK 2.x asks a throw-away process first which era the server is of, kills it, and starts another.
it('a 2026 host that starts the bridge twice: one tab, one registration, one exchange, and it is served', async () => {
  await using home = await createTemporaryHome();
  await using browser = await createFakeBrowser(home.folder, 'follow');
  await using authority = await startAuthorizationServer({ consent: 'auto' });
  await using server = await startMcpServer({ authority });
  const env = home.env({ BROWSER: browser.command });
  for (const start of ['first', 'second']) {
    const client = new Client({ name: 'host-2026', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [PROGRAM, server.url],
        env,
        stderr: 'ignore',
      }),
    );
    const { tools } = await client.listTools();
    expect(
      tools.map(({ name }) => name),
      start,
    ).toContain('echo');
    const echo = await client.callTool({ name: 'echo', arguments: { value: start } });
    expect(JSON.stringify(echo.content)).toContain(start);
    await client.close();
  }
  expect(browser.opened.length).toBe(1);
  expect(authority.counters).toMatchObject({
    registrations: 1,
    codeExchanges: 1,
    refreshPosts: 0,
    replays: 0,
  });
});
