import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFakeBrowser } from '../../browsers/browser.ts';
import { type RawHost, startRawHost } from '../../hosts/raw-host.ts';
import { createTemporaryHome } from '../../processes/home.ts';
import type { SeenProcess } from '../../processes/processes.ts';
import { type Attack, addressOf, CANARIES, oracleOf, type Parties, startParties } from './threat-world.ts';

/** The parties of a threat, and the built program of a person who has secret headers and a key in the address. */
export async function startThreatProgram(
  attack?: (parties: Parties) => Attack,
  mode: Parameters<typeof createFakeBrowser>[1] = 'chatty',
) {
  const parties = await startParties(attack);
  const home = await createTemporaryHome();
  const browser = await createFakeBrowser(home.folder, mode);
  const env = home.env({
    BROWSER: browser.command,
    USER_HEADER: CANARIES.header,
    GITHUB_TOKEN: CANARIES.header,
    AWS_SECRET_ACCESS_KEY: CANARIES.header,
  });
  const args = [
    '--debug',
    '--wait',
    '--header',
    `X-Api-Key: \${USER_HEADER}`,
    '--header',
    `Cookie: s=${CANARIES.cookie}`,
  ];
  const hosts: RawHost[] = [];
  return {
    ...parties,
    home,
    browser,
    env,
    start: (...more: string[]): RawHost => {
      const host = startRawHost([addressOf(parties), ...args, ...more], { env });
      hosts.push(host);
      return host;
    },
    /** Everything that the program and what it started have shown by now; the bridge's own arguments are the person's. */
    oracle: async (seen: readonly SeenProcess[] = []) => {
      const logs = join(home.state, 'logs');
      const names = await readdir(logs);
      const texts = await Promise.all(names.map((name) => readFile(join(logs, name), 'utf8')));
      const own = hosts.map(({ pid }) => pid);
      const children = seen.filter(({ pid }) => !own.includes(pid));
      return oracleOf(parties)
        .place('stdout', () => hosts.flatMap(({ lines }) => lines.entries.map((line) => line.text)))
        .place('stderr', () => hosts.map(({ stderr }) => stderr))
        .place('the log', () => texts)
        .place('the arguments of a child', () => children.map(({ argv }) => argv))
        .place('the environment of a child', () => children.map(({ environment }) => environment))
        .place('the browser', () =>
          browser.opened.map((opened) => JSON.stringify([opened.argv, opened.env])),
        );
    },
    [Symbol.asyncDispose]: async () => {
      for (const host of hosts) await host.close();
      await home.reap();
      await browser.close();
      for (const party of [parties.server, parties.authority, parties.stranger])
        await party[Symbol.asyncDispose]();
      await home.close();
    },
  };
}
