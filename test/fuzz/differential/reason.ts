import type { Case, Library } from './case.ts';
import type { Difference } from './compare.ts';

/** Why a library does something else than we do, for all cases that have one of these features. */
export interface Reason {
  readonly about: readonly Case['about'][];
  readonly libraries: readonly Library[];
  readonly features: readonly string[];
  /** Features beside which another reason counts. */
  readonly unless?: readonly string[];
  readonly difference:
    | { readonly stricter: 'ours' | 'theirs' /** What the stricter one says. */; readonly says: RegExp }
    | { readonly fields: readonly string[] /** What they make of it. */; readonly theirs: RegExp };
  /** With the section that decides. */
  readonly why: string;
}

export function explains(reason: Reason, difference: Difference): boolean {
  const { about, libraries, features, unless = [], difference: expected } = reason;
  if (!about.includes(difference.about) || !libraries.includes(difference.library)) return false;
  if (!features.some((name) => difference.features.includes(name))) return false;
  if (unless.some((name) => difference.features.includes(name))) return false;
  if (difference.kind === 'stricter') {
    return (
      'stricter' in expected && expected.stricter === difference.who && expected.says.test(difference.why)
    );
  }
  return (
    'fields' in expected &&
    expected.fields.includes(difference.field) &&
    expected.theirs.test(difference.theirs)
  );
}
