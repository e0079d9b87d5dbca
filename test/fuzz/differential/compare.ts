import type { Case, Library, Outcome } from './case.ts';
import { ourReading, READERS } from './challenge-readers.ts';
import { generateCases } from './generate.ts';
import { ourSignIn, SIGN_INS } from './sign-ins.ts';

export const LIBRARIES: readonly Library[] = ['sdk 1', 'sdk 2', 'oauth4webapi'];

export interface Comparison {
  readonly given: Case;
  readonly ours: Outcome;
  readonly theirs: Readonly<Record<Library, Outcome>>;
}

/** One way in which a library does something else than we do. */
export type Difference = {
  readonly about: Case['about'];
  readonly features: readonly string[];
  readonly library: Library;
} & (
  | { readonly kind: 'stricter'; readonly who: 'ours' | 'theirs'; readonly why: string }
  | { readonly kind: 'value'; readonly field: string; readonly ours: string; readonly theirs: string }
);

export async function compareAll(): Promise<Comparison[]> {
  return Promise.all(generateCases().map(compare));
}

async function compare(given: Case): Promise<Comparison> {
  const ours = given.about === 'challenge' ? ourReading(given) : await ourSignIn(given);
  const asked = LIBRARIES.map(async (library) => {
    const outcome = given.about === 'challenge' ? READERS[library](given) : SIGN_INS[library](given);
    return [library, await outcome] as const;
  });
  return { given, ours, theirs: Object.fromEntries(await Promise.all(asked)) as Comparison['theirs'] };
}

export function differencesOf({ given: { about, features }, ours, theirs }: Comparison): Difference[] {
  return LIBRARIES.flatMap((library): Difference[] => {
    const their = theirs[library];
    const where = { about, features, library };
    if (ours.kind === 'refused') {
      return their.kind === 'refused' ? [] : [{ ...where, kind: 'stricter', who: 'ours', why: ours.why }];
    }
    if (their.kind === 'refused') return [{ ...where, kind: 'stricter', who: 'theirs', why: their.why }];
    return Object.entries(ours.values)
      .filter(([field, value]) => value !== their.values[field])
      .map(([field, value]) => ({
        ...where,
        kind: 'value',
        field,
        ours: value ?? '(none)',
        theirs: their.values[field] ?? '(none)',
      }));
  });
}
