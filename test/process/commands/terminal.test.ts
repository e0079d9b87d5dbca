import { spawn } from 'node:child_process';

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { screens } from '../../../.build/screens.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

let home: TemporaryHome;
let server: PeerMcpServer;
beforeEach(async () => {
  home = await createTemporaryHome();
  server = await startMcpServer({});
});
afterEach(async () => {
  await server.close();
  await home.close();
});

it('started by hand in a terminal, the bridge says what it is and what to do instead', async () => {
  const command = `'${process.execPath}' '${PROGRAM}' '${server.url}?key=canary-4711'`;
  // script(1) of util-linux runs a command in a terminal of its own.
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: home.env(), stdio: 'pipe' });
  let shown = '';
  for await (const chunk of terminal.stdout) {
    shown += String(chunk);
    if (shown.includes('doctor ')) break;
  }
  expect(shown).toContain('This is the bridge');
  expect(shown).toMatch(/ install '?http:\/\/127\.0\.0\.1:\d+\/mcp/);
  expect(shown).not.toContain('canary');
  terminal.stdin.end('\u0003');
  await once(terminal, 'exit');
});

it('started by a host it prints no such note', async () => {
  await using host = startRawHost([server.url], { env: home.env() });
  await host.initialize();
  host.endStdin();
  expect((await host.closed).code).toBe(0);
  expect(host.stderr).toBe('');
});

it('the pictures of the README show what the program prints (npx tsx .build/screens.ts)', () => {
  for (const [file, picture] of screens()) {
    const shown = readFileSync(new URL(`../../../.github/${file}`, import.meta.url), 'utf8');
    expect(shown, file).toBe(picture);
  }
});
