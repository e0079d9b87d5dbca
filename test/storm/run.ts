import { parseArgs } from 'node:util';
import { FULL, type Row, type RowName, rows, type Scale } from './rows.ts';

const HELP = `npm run storm -- [options]
  --only NAME          cold, lapses, kills, revoked, answers, strict, grace, programs or own-provider;
                       repeatable (default: all)
  --cold N             cold starts at once (${FULL.cold})
  --instances N        live instances (${FULL.instances})
  --lapses N           revoked tokens (${FULL.lapses})
  --kills N            kill -9 among them (${FULL.kills})
  --runs N             kills at each step of the matrix (${FULL.runs})
  --at-once N          runs of the matrix side by side (${FULL.atOnce})
  --seed N             what is random follows from it (${FULL.seed})
  --json               figures as JSON
`;
const NUMBERS = ['cold', 'instances', 'lapses', 'kills', 'runs', 'at-once', 'seed'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(NUMBERS.map((name) => [name, { type: 'string' as const }])),
      only: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const unknown = values.only?.find((name) => !(name in rows));
  if (unknown !== undefined) {
    process.stderr.write(`--only: expected one of ${Object.keys(rows).join(', ')}, got ${unknown}\n`);
    return 2;
  }
  const scale = scaleFrom(values);
  const wanted = Object.keys(rows).filter((name) => values.only?.includes(name) ?? true) as RowName[];
  process.stderr.write(`seed ${scale.seed}\n`);
  const done: Row[] = [];
  if (!values.json) process.stdout.write('| storm | figures | promise |\n|---|---|---|\n');
  for (const name of wanted) {
    const startedAt = performance.now();
    const row = await rows[name](scale, (text) => process.stderr.write(`\r${name}: ${text}   `));
    process.stderr.write(
      `\r${name}: ${Math.round((performance.now() - startedAt) / 1000)} s              \n`,
    );
    done.push(row);
    if (!values.json) process.stdout.write(line(row));
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ scale, rows: done }, null, 2)}\n`);
  return done.every(({ missed }) => missed.length === 0) ? 0 : 1;
}

function scaleFrom(values: Readonly<Record<string, unknown>>): Scale {
  const given = NUMBERS.flatMap((name) => {
    const text = values[name];
    if (text === undefined) return [];
    const number = Number(text);
    if (!Number.isInteger(number) || number < 0) throw new Error(`--${name}: expected a count, got ${text}`);
    return [[name === 'at-once' ? 'atOnce' : name, number]];
  });
  return { ...FULL, ...Object.fromEntries(given) };
}

/** One line of a Markdown table. */
function line({ what, figures, missed }: Row): string {
  const parts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const verdict = missed.length === 0 ? 'kept' : `MISSED: ${missed.join('; ')}`;
  return `| ${what} | ${parts.join(' · ')} | ${verdict} |\n`;
}

process.exitCode = await main();
