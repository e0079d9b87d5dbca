// Bundled by run.ts; the conformance runner starts it with the address of a scenario's server as the last argument.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHost, type HostName } from './hosts.ts';
import { type Context, flagsFor, play } from './scenarios.ts';

const [name, program, browser, url] = process.argv.slice(2) as [HostName, string, string, string];
const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_CONTEXT = '{}' } = process.env;
const context = JSON.parse(MCP_CONFORMANCE_CONTEXT) as Context;
const secret = context.client_secret;
const home = mkdtempSync(join(tmpdir(), 'drawbridge-conformance-'));

const write = (file: string, text: string): string => {
  writeFileSync(join(home, file), text);
  return join(home, file);
};
/**
 * A person who was sent to the browser once and failed is not sent there again by itself; the SDK 2.x starts the program twice, and the second waits
 * for that person until the sign-in is over.
 */
const SIGN_IN_SECONDS = '15';

const MAX_REMOVALS = 50;
const REMOVAL_PAUSE_MS = 100;

const host = createHost(name, {
  command: process.execPath,
  args: [program, url, '--wait', '--auth-timeout', SIGN_IN_SECONDS, ...flagsFor(scenario, context, write)],
  env: {
    PATH: process.env.PATH ?? '',
    HOME: home,
    MCP_DRAWBRIDGE_HOME: join(home, 'state'),
    BROWSER: browser,
    ...(typeof secret === 'string' ? { MCP_DRAWBRIDGE_CLIENT_SECRET: secret } : {}),
  },
});
let code = 0;
try {
  await play(scenario, host, context);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  code = 1;
}
await host.close();
// A sign-in process may still write its last file: what it adds to a folder after a look at it is not removed by `maxRetries`.
for (let attempt = 1; ; attempt++) {
  try {
    rmSync(home, { recursive: true, force: true });
    break;
  } catch (error) {
    if (attempt === MAX_REMOVALS) throw error;
    await sleep(REMOVAL_PAUSE_MS);
  }
}
process.exit(code);
