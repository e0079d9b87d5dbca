// Bundled into one executable file by browser.ts and run as $BROWSER, alone, under whatever environment the opener leaves.
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BrowserMode, BrowserRecord } from './browser.ts';
import { visit } from './browser-visit.ts';

const folder = dirname(process.argv[1] as string);
const argv = process.argv.slice(2);
const { mode } = JSON.parse(readFileSync(join(folder, 'mode.json'), 'utf8')) as { mode: BrowserMode };

/** One write, so that browsers at the same time do not mix their lines. */
function note(record: BrowserRecord): void {
  appendFileSync(join(folder, 'records.jsonl'), `${JSON.stringify(record)}\n`);
}

note({
  kind: 'opened',
  at: Date.now(),
  pid: process.pid,
  address: argv.at(-1) ?? '',
  argv,
  env: { ...process.env },
  cwd: process.cwd(),
});
if (mode === 'chatty') {
  process.stdout.write('Opening in existing browser session.\n');
  process.stderr.write('libva error: vaGetDriverNameByIndex() failed\n');
}
if (mode === 'crash') process.exit(1);
if (mode !== 'ignore' && mode !== 'forbidden') {
  visit(argv.at(-1) ?? '', { answer: mode === 'deny' ? 'deny' : 'allow' }).then(
    (page) =>
      note({
        kind: 'arrived',
        at: Date.now(),
        pid: process.pid,
        url: page.url,
        status: page.status,
        body: page.body,
      }),
    (error) => note({ kind: 'failed', at: Date.now(), pid: process.pid, reason: String(error) }),
  );
}
