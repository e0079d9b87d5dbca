import { parseArgs } from 'node:util';
import { commandLine, wholeNumber } from '../helpers/command-line.ts';
import { PROPERTIES } from './all.ts';

const USAGE = `npm run fuzz -- [flags]: each property in turn, with new inputs in each round
  --seconds N      for how many seconds new rounds are started (60)
  --seed S         the seed of the first round; it grows by one with each round (random)
  --only WORDS     properties whose name contains this
  --differential   instead: the table of what we and other libraries accept
`;
/** As many as it takes to reach odd combinations; few enough that every property has its turn within seconds. */
const RUNS_PER_ROUND = 200;
const MAX_SEED = 2 ** 31 - 1;

interface Plan {
  readonly seconds: number;
  readonly seed: number;
  readonly only: string;
  readonly differential: boolean;
}

function readPlan(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      differential: { type: 'boolean' },
    },
  });
  const whole = (name: 'seconds' | 'seed', otherwise: number) => {
    const text = values[name];
    return text === undefined ? otherwise : wholeNumber(`--${name}`, text);
  };
  const only = values.only ?? '';
  if (!PROPERTIES.some(({ name }) => name.includes(only)))
    throw new TypeError(`--only ${only}: no property is called so`);
  return {
    seconds: whole('seconds', 60),
    seed: whole('seed', Math.floor(Math.random() * 1e9)),
    only,
    differential: values.differential === true,
  };
}

async function fuzz({ seconds, seed, only }: Plan): Promise<number> {
  const end = Date.now() + seconds * 1000;
  const chosen = PROPERTIES.filter(({ name }) => name.includes(only));
  process.stdout.write(`${chosen.length} properties, ${seconds} s, seed ${seed}\n`);
  let rounds = 0;
  do {
    const seedOfRound = (seed + rounds++) % MAX_SEED;
    for (const { name, run } of chosen) {
      try {
        await run({ seed: seedOfRound, runs: RUNS_PER_ROUND });
      } catch (error) {
        process.stdout.write(`\nFAILED: ${name}\n${described(error)}\n`);
        process.stdout.write(
          `again: npm run fuzz -- --seed ${seedOfRound} --seconds 0 --only ${JSON.stringify(name)}\n`,
        );
        return 1;
      }
      if (Date.now() > end && rounds > 1) break;
    }
  } while (Date.now() < end);
  process.stdout.write(`${rounds} ${rounds === 1 ? 'round' : 'rounds'}, all well\n`);
  return 0;
}

/** The counterexample, and what it broke. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${described(error.cause)}`;
}

async function differential(): Promise<number> {
  const { report } = await import('./differential/report.ts');
  return (await report((line) => process.stdout.write(`${line}\n`))) ? 0 : 1;
}

await commandLine(USAGE, readPlan, (plan) => (plan.differential ? differential() : fuzz(plan)));
