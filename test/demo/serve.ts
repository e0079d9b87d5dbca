import { once } from 'node:events';
import { PROGRAM } from '../peers/hosts/host.ts';
import { createStage } from './stage.ts';

const ACCESS_TOKEN_TTL_SECONDS = 300;

/** Leaves the servers running for a real host and a person in front of it, until Ctrl-C. */
export async function serve(): Promise<void> {
  await using stage = await createStage(ACCESS_TOKEN_TTL_SECONDS);
  const { authority, server, home } = stage;
  const config = {
    mcpServers: {
      'drawbridge-demo': {
        command: process.execPath,
        args: [PROGRAM, server.url],
        env: { MCP_DRAWBRIDGE_HOME: home.state },
      },
    },
  };
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(`Authorization server  ${authority.issuer.href}`);
  say(
    `Protected MCP server  ${server.url}  (an access token lives ${ACCESS_TOKEN_TTL_SECONDS / 60} minutes)`,
  );
  say('');
  say(
    'Give this to a host (Claude Desktop, Claude Code, Cursor, VS Code, …); its first start opens a page in your',
  );
  say(
    'browser that asks you to allow it. The sign-in is kept in a temporary folder and forgotten with this process.',
  );
  say('');
  say(JSON.stringify(config, null, 2));
  say('');
  say('What happens is told here. Ctrl-C ends it.');
  say('');
  const now = () => new Date().toTimeString().slice(0, 8);
  authority.provider.events.onEntry((event) => say(`${now()}  authorization server: ${event}`));
  server.requests.onEntry(({ method, path, body }) =>
    say(`${now()}  MCP server: ${describe(method, path, body)}`),
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

function describe(method: string, path: string, body: string): string {
  if (method !== 'POST') return `${method} ${path}`;
  const name = /"method"\s*:\s*"([\w/]{1,60})"/.exec(body)?.[1];
  return `POST ${name ?? 'an answer'}`;
}
