import { compareAll, differencesOf } from './compare.ts';
import { explains } from './reason.ts';
import { REASONS } from './reasons.ts';
import { caseLine, differenceLine, reasonLine } from './table.ts';

/** The table for people: each case, each reason with how often it counts, and what has not exactly one. */
export async function report(write: (line: string) => void): Promise<boolean> {
  const comparisons = await compareAll();
  for (const one of comparisons) write(caseLine(one));
  const differences = comparisons.flatMap(differencesOf);
  write(`\n${comparisons.length} cases, ${differences.length} differences`);
  for (const reason of REASONS) {
    write(reasonLine(reason, differences.filter((one) => explains(reason, one)).length));
  }
  const unexplained = differences.filter(
    (one) => REASONS.filter((reason) => explains(reason, one)).length !== 1,
  );
  for (const one of unexplained) write(`WITHOUT ONE REASON: ${differenceLine(one)}`);
  return unexplained.length === 0;
}
