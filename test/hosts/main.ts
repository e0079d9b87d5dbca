// `npm run test:hosts`: real hosts, each driven without a terminal by a model of our own, against the built program.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine } from '../helpers/command-line.ts';
import { CELLS, type Cell, type Played } from './cells.ts';
import { Desktop } from './desktop.ts';
import { type Flags, readFlags, USAGE } from './flags.ts';
import { install } from './install.ts';
import { type HostProfile, PROFILES } from './profiles.ts';
import { Stage } from './stage.ts';
import { markdownTable, type Outcome, textTable, verdict } from './table.ts';

const print = (text: string) => process.stdout.write(text);
const say = (text: string) => process.stderr.write(`${text}\n`);

function list(): void {
  for (const { name, package: of, version } of PROFILES) print(`${name.padEnd(12)}${of}@${version}\n`);
  print('\n');
  for (const { name, title } of CELLS) print(`${name.padEnd(12)}${title}\n`);
}

async function main(flags: Flags): Promise<boolean> {
  await using desktop = await Desktop.start();
  const launches = new Map<HostProfile, readonly string[]>();
  for (const profile of flags.hosts) launches.set(profile, await install(profile, flags.cache));
  const pairs = flags.cells.flatMap((cell) => flags.hosts.map((profile) => ({ profile, cell })));
  const outcomes: Outcome[] = [];
  const rest = pairs.entries();
  const worker = async () => {
    for (const [at, { profile, cell }] of rest) {
      const launch = launches.get(profile) as readonly string[];
      const played = await play(profile, cell, launch, desktop.display, flags);
      say(
        `${profile.name} ${cell.name}: ${verdict(played)} ${played.fails ?? played.told ?? played.note ?? ''}`,
      );
      outcomes[at] = { profile, cell, played };
    }
  };
  await Promise.all(Array.from({ length: flags.atOnce }, worker));
  print(flags.markdown ? markdownTable(outcomes) : textTable(outcomes));
  return outcomes.every(({ played }) => played.fails === undefined);
}

async function play(
  profile: HostProfile,
  cell: Cell,
  launch: readonly string[],
  display: string,
  { program, evidence }: Flags,
): Promise<Played> {
  await using stage = await Stage.create({ profile, launch, program, display }, cell.isOpen !== true);
  const played = await cell.play(stage).catch((error): Played => ({ fails: String(error) }));
  if (evidence !== undefined) {
    const folder = join(evidence, `${profile.name}-${cell.name}`);
    await mkdir(folder, { recursive: true });
    await stage.keepEvidence(folder);
  }
  return played;
}

await commandLine(USAGE, readFlags, async (flags) => {
  if (flags.list) {
    list();
    return 0;
  }
  // Waits of cells that have ended would hold this process for minutes.
  return process.exit((await main(flags)) ? 0 : 1);
});
