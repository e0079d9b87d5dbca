import { readFileSync } from 'node:fs';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { canonicalServer, credentialKey } from '../../../src/store/record/key.ts';
import { RotatingEndpoint } from '../../peers/authorization-servers/rotating-endpoint.ts';
import type { RawHost } from '../../peers/hosts/raw-host.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { expiredLogin } from '../../peers/processes/credentials.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { startWalkedHost, walkedSince } from '../../peers/processes/walked.ts';

const HOUR_MS = 3_600_000;

/** What any room calls (ids, clocks, signals) is in `protocol` and the rest of `platform`, and is no part of a walk. */
const ROOMS_OF_A_MESSAGE = /^(host|bridge|eras|remote|auth|platform\/http)\//;

interface Station {
  readonly number: number;
  readonly file: string;
  readonly functions: readonly string[];
  /** All files that the row names. */
  readonly files: readonly string[];
}

const page = readFileSync(new URL('../../../src/README.md', import.meta.url), 'utf8');

/** The table of src/README.md below this heading. */
function stationsOf(heading: string): Station[] {
  const [, part = ''] = page.split(`\n## ${heading}\n`);
  const [section = ''] = part.split('\n## ');
  return Array.from(section.matchAll(/^\| (\d+) \|([^|]+)\|([^|]+)\|$/gm), ([, number, station, what]) => {
    const [file = '', ...functions] = Array.from(
      (station ?? '').matchAll(/`([^`]+)`/g),
      ([, code]) => code ?? '',
    );
    const files = Array.from(`${station}${what}`.matchAll(/`([\w/-]+\.ts)`/g), ([, name]) => name ?? '');
    return { number: Number(number), file, functions, files };
  });
}

/** The functions that ran for one call of a tool, as `file function`. */
async function walkOfCall(host: RawHost): Promise<ReadonlySet<string>> {
  await walkedSince(host);
  const answer = await host.request('tools/call', { name: 'echo', arguments: { value: 'there and back' } });
  expect(JSON.stringify(answer)).toContain('there and back');
  const walked = await walkedSince(host);
  return new Set(walked.map(({ file, name }) => `${file} ${name.replace(/^get /, '')}`));
}

const filesOf = (walk: ReadonlySet<string>) => [
  ...new Set([...walk].map((each) => each.split(' ')[0] ?? '')),
];

/** The stations of which a function did not run. */
function missed(stations: readonly Station[], walk: ReadonlySet<string>): string[] {
  const files = filesOf(walk);
  return stations.flatMap(({ number, file, functions }) => [
    ...(files.includes(file) ? [] : [`${number}: ${file}`]),
    ...functions.filter((name) => !walk.has(`${file} ${name}`)).map((name) => `${number}: ${file} ${name}`),
  ]);
}

/** The number of stations that the text before the table says. */
function saidIn(heading: string): number {
  const [, part = ''] = page.split(`\n## ${heading}\n`);
  return Number(/\b(\d+) stations/.exec(part)?.[1]);
}

test('src/README.md names each file that a message passes, and each station of a refresh', async () => {
  let accepted = 'A0';
  const verifyAccessToken = async (token: string) => {
    if (token !== accepted) throw new InvalidTokenError('expired');
    const expiresAt = (Date.now() + HOUR_MS) / 1_000;
    return { token, clientId: 'client-1', scopes: [], expiresAt, resource: new URL(server.url) };
  };
  await using endpoint = await RotatingEndpoint.start();
  const metadata = async () => ({ issuer: new URL(endpoint.address).origin });
  await using server = await startMcpServer({
    json: true,
    authority: { metadata, tokens: { verifyAccessToken } },
  });
  await using home = await createTemporaryHome();
  const address = new URL(server.url);
  const store = await openStore({ home: home.state, logger: silentLogger });
  const login = expiredLogin(endpoint.address, 'R0');
  const now = Date.now();
  const tokens = {
    accessToken: 'A0',
    tokenType: 'Bearer',
    refreshToken: 'R0',
    obtainedAt: now,
    expiresAt: now + HOUR_MS,
  };
  const key = credentialKey({ server: address, grant: 'authorization_code', profile: 'default' });
  await store.write(key, { ...login, server: canonicalServer(address), tokens }, null);

  await using host = startWalkedHost(server.url, home.env());
  const opened = await host.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  });
  expect(opened.error).toBeUndefined();
  host.notify('notifications/initialized');
  await host.request('tools/list');
  // The first call comes past what is loaded once.
  await walkOfCall(host);

  const message = await walkOfCall(host);
  const stations = stationsOf('A message');
  const passed = filesOf(message).filter((file) => ROOMS_OF_A_MESSAGE.test(file));
  expect([...new Set(stations.flatMap(({ files }) => files))].sort()).toEqual(passed.sort());
  expect(missed(stations, message)).toEqual([]);
  expect(saidIn('A message')).toBe(stations.length);

  accepted = 'A1';
  const refresh = await walkOfCall(host);
  const steps = stationsOf('A refresh');
  expect(missed(steps, refresh)).toEqual([]);
  expect(saidIn('A refresh')).toBe(steps.length);
});
