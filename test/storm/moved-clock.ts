import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A preload under which a program's wall clock is off by so much from the start, or from SIGUSR2 on; what is monotonic stays as it is. A
 * machine that sleeps looks the same: wall clock ahead, timers late.
 */
export async function movedClock(folder: string, offMs: number, from: 'start' | 'signal'): Promise<string> {
  const file = join(folder, `clock-${offMs}-${from}.cjs`);
  await writeFile(
    file,
    `const Real = Date;
let off = ${from === 'start' ? offMs : 0};
globalThis.Date = class extends Real {
  constructor(...values) { if (values.length === 0) super(Real.now() + off); else super(...values); }
  static now() { return Real.now() + off; }
};
process.on('SIGUSR2', () => { off = ${offMs}; process.stderr.write('@moved\\n'); });
`,
  );
  return file;
}
