import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createFakeBrowser, type FakeBrowser } from '../peers/browsers/browser.ts';
import { Host, PROGRAM } from '../peers/hosts/host.ts';
import { Report, seconds } from './report.ts';
import { createStage, type Stage } from './stage.ts';

const HOSTS = 3;
/** Long enough for three sign-ins on a slow machine, short enough to be waited for by a reader. */
const ACCESS_TOKEN_TTL_SECONDS = 8;

/** Three hosts, one sign-in, one refresh; true when every number was as promised. */
export async function tellStory(program = PROGRAM): Promise<boolean> {
  const report = new Report();
  await using stage = await createStage(ACCESS_TOKEN_TTL_SECONDS);
  await using browser = await createFakeBrowser(stage.home.folder, 'follow');
  const { authority, server, home } = stage;
  report.say('An authorization server and a protected MCP server, made of the official SDK:');
  report.say(`  ${authority.issuer.href}`);
  report.say(`  ${server.url}  (an access token lives ${ACCESS_TOKEN_TTL_SECONDS} s)`);

  const env = home.env({ BROWSER: browser.command });
  const hosts = Array.from(
    { length: HOSTS },
    (_, number) => new Host([server.url], { env, program, name: `demo-host-${number + 1}` }),
  );
  try {
    await signIn(hosts, stage, browser, report);
    await lapse(hosts, stage, browser, report);
  } catch (error) {
    report.fail(error instanceof Error ? error.message : String(error));
    for (const [number, { stderr }] of hosts.entries()) {
      if (stderr !== '') report.say(`The drawbridge of host ${number + 1} said:\n${stderr}`);
    }
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
  report.say();
  report.say('The hosts leave.');
  report.promise('sessions ended at the server', HOSTS, server.counters.sessionsClosed);
  report.say();
  report.say(
    report.kept
      ? 'All as promised. Try it with a host of yours: npm run demo -- --serve'
      : 'Not as promised.',
  );
  return report.kept;
}

async function signIn(
  hosts: readonly Host[],
  { authority, server }: Stage,
  browser: FakeBrowser,
  report: Report,
): Promise<void> {
  report.say();
  report.say(`${HOSTS} hosts start at once, each with a drawbridge of its own. Nobody has signed in.`);
  const startedAt = performance.now();
  const answeredAfter = await Promise.all(
    hosts.map(async (host) => {
      await host.connect();
      return performance.now() - startedAt;
    }),
  );
  const slowest = seconds(Math.max(...answeredAfter));
  report.promise(`hosts had \`initialize\` answered, the last after ${slowest}`, HOSTS, answeredAfter.length);
  const served = await callAll(hosts);
  const after = seconds(performance.now() - startedAt);
  const { counters } = authority;
  report.atLeastOne('requests without a token answered 401', server.counters.unauthorized);
  report.atLeastOne('times the protected resource metadata was read', resourceMetadata(server));
  report.atLeastOne('times the authorization server metadata was read', counters.metadataRequests);
  report.promise('client registered', 1, counters.registrations);
  report.promise('sign-in page opened in the browser', 1, browser.opened.length);
  report.promise('person asked, who pressed Allow', 1, counters.allowed);
  report.promise('code exchanged for tokens', 1, counters.codeExchanges);
  report.promise(`hosts served, ${after} after the start`, HOSTS, served);
  report.promise('sessions at the MCP server', HOSTS, server.counters.sessionsOpened);
  report.promise('refreshes so far', 0, counters.refreshes);
}

async function lapse(
  hosts: readonly Host[],
  { authority, server }: Stage,
  browser: FakeBrowser,
  report: Report,
): Promise<void> {
  const expiresAt = authority.tokens.newest?.expiresAt ?? Date.now();
  const waitMs = Math.max(0, expiresAt - Date.now());
  report.say();
  report.say(`The access token lapses in ${seconds(waitMs)}; then all hosts call at once.`);
  await delay(waitMs);
  const served = await callAll(hosts);
  const { counters } = authority;
  report.promise('hosts served', HOSTS, served);
  report.promise('refresh for all of them', 1, counters.refreshes);
  report.promise('refresh tokens redeemed twice', 0, counters.replays);
  report.promise('sign-in page opened in all', 1, browser.opened.length);
  report.promise('client registered in all', 1, counters.registrations);
  report.promise('sessions in all', HOSTS, server.counters.sessionsOpened);
}

/** How many of the hosts got the right sum. */
async function callAll(hosts: readonly Host[]): Promise<number> {
  const sums = await Promise.all(
    hosts.map(async ({ client }, number) => {
      const result = await client.callTool({ name: 'add', arguments: { a: number, b: 40 } });
      const { sum } = (result.structuredContent ?? {}) as { sum?: number };
      return sum === number + 40;
    }),
  );
  return sums.filter(Boolean).length;
}

function resourceMetadata(server: Stage['server']): number {
  return server.requests.count(({ path }) => path.includes('/.well-known/oauth-protected-resource'));
}
