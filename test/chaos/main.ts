import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { commandLine, wholeNumber } from '../helpers/command-line.ts';
import { runScenario } from './run-scenario.ts';
import { PLACES, type Scenario } from './scenario.ts';
import { type Finding, SHRINK_MS, trySeed } from './try-scenario.ts';

const WORDS = ['legacy-host', 'modern-host', 'legacy-server', 'modern-server', 'json', 'stream', 'sse'];
const HELP = `npm run chaos -- [flags]: the built program against servers that behave in every odd way
  --seconds N     how long scenarios begin (60); what broke one is made smaller after that too, ${SHRINK_MS / 1000} s each at most
  --seed S        the first scenario's seed; each next one has the next (random)
  --only WORD     ${[...WORDS, ...PLACES].join(', ')}; repeatable
  --at-once N     scenarios side by side; most of each is waiting (6)
  --keep-going    does not stop at the first finding
  --replay FILE   runs a scenario that was printed; again and again with --times N
`;

interface Plan {
  readonly seconds: number;
  readonly seed: number;
  readonly only: readonly string[];
  readonly atOnce: number;
  readonly times: number;
  readonly keepGoing: boolean;
  readonly replay: string | undefined;
}

function readPlan(argv: readonly string[]): Plan {
  const text = { type: 'string' as const };
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: text,
      seed: text,
      'at-once': text,
      times: text,
      replay: text,
      only: { type: 'string', multiple: true },
      'keep-going': { type: 'boolean' },
    },
  });
  const whole = (name: 'seconds' | 'seed' | 'at-once' | 'times', otherwise: number, least = 0) => {
    const given = values[name];
    return given === undefined ? otherwise : wholeNumber(`--${name}`, given, least);
  };
  const only = values.only ?? [];
  const unknown = only.find((word) => ![...WORDS, ...PLACES].includes(word));
  if (unknown !== undefined)
    throw new TypeError(`--only ${unknown}: expected one of ${[...WORDS, ...PLACES].join(', ')}`);
  return {
    seconds: whole('seconds', 60),
    seed: whole('seed', Math.floor(Math.random() * 1e9)),
    only,
    atOnce: whole('at-once', 6, 1),
    times: whole('times', 1),
    keepGoing: values['keep-going'] === true,
    replay: values.replay,
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function replay(file: string, times: number): Promise<number> {
  const scenario = JSON.parse(await readFile(file, 'utf8')) as Scenario;
  let broken = 0;
  for (let run = 0; run < times; run++) {
    const { violations, report } = await runScenario(scenario);
    if (run === 0 || violations.length > 0) say(report);
    for (const { what, detail } of violations) say(`\nBROKEN: ${what}: ${detail}`);
    if (violations.length > 0) broken++;
  }
  say(`\n${times - broken} of ${times} runs held`);
  return broken === 0 ? 0 : 1;
}

async function chaos({ seconds, seed, only, atOnce, keepGoing }: Plan): Promise<number> {
  const end = Date.now() + seconds * 1000;
  say(`${seconds} s, from seed ${seed}`);
  const findings: Finding[] = [];
  let tried = 0;
  const lane = async () => {
    while (Date.now() < end && (keepGoing || findings.length === 0)) {
      const one = seed + tried++;
      const finding = await trySeed(one, only, (what) => say(`\nseed ${one}: ${what}; making it smaller`));
      if (finding === undefined) continue;
      findings.push(finding);
      tell(finding, only);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  say(`${tried} scenarios, ${findings.length === 0 ? 'all well' : `${findings.length} broke something`}`);
  for (const [what, seeds] of bySort(findings)) say(`  ${what}: seeds ${seeds.join(', ')}`);
  return findings.length === 0 ? 0 : 1;
}

function tell({ seed, what, scenario, outcome }: Finding, only: readonly string[]): void {
  const words = only.map((word) => ` --only ${word}`).join('');
  say(`\nBROKEN: ${what}\n${outcome.violations.map((one) => `  ${one.what}: ${one.detail}`).join('\n')}`);
  say(`${outcome.report}\nscenario, for --replay FILE:\n${JSON.stringify(scenario)}`);
  say(`again: npm run chaos -- --seconds 1 --at-once 1 --seed ${seed}${words}`);
}

function bySort(findings: readonly Finding[]): ReadonlyMap<string, readonly number[]> {
  const seeds = new Map<string, number[]>();
  for (const { what, seed } of findings) seeds.set(what, [...(seeds.get(what) ?? []), seed]);
  return seeds;
}

await commandLine(HELP, readPlan, (plan) =>
  plan.replay === undefined ? chaos(plan) : replay(plan.replay, plan.times),
);
