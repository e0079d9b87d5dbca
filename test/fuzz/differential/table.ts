import type { Outcome } from './case.ts';
import { type Comparison, type Difference, LIBRARIES } from './compare.ts';
import type { Reason } from './reason.ts';

/** One line a case: what is not plain about it, and what each makes of it. */
export function caseLine({ given, ours, theirs }: Comparison): string {
  const what = given.features.length === 0 ? 'plain' : given.features.join(' + ');
  const all = [`ours ${said(ours)}`, ...LIBRARIES.map((library) => `${library} ${said(theirs[library])}`)];
  return `${given.about}, ${what}: ${all.join('; ')}`;
}

function said(outcome: Outcome): string {
  if (outcome.kind === 'refused') return `refuses (${outcome.why.split(':', 1)[0]})`;
  const values = Object.values(outcome.values).map((value) => value ?? '-');
  return `takes ${values.join(' ')}`;
}

/** What nobody has explained. */
export function differenceLine(difference: Difference): string {
  const where = `${difference.about}, ${difference.features.join(' + ')}, ${difference.library}`;
  if (difference.kind === 'value')
    return `${where}: ${difference.field} is ${difference.ours}, theirs ${difference.theirs}`;
  return `${where}: ${difference.who} refuses, ${difference.why}`;
}

export function reasonLine({ libraries, difference, why }: Reason, count: number): string {
  const what = 'stricter' in difference ? `${difference.stricter} stricter` : 'elsewhere';
  return `${count} × ${libraries.join(', ')}, ${what}: ${why}`;
}
