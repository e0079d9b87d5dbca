import type { Given, Source } from './option.ts';
import type { OptionName } from './options.ts';

/** For each option the values of the strongest source, with paths expanded. */
export type Effective = ReadonlyMap<OptionName, readonly Given[]>;

const STRENGTH: Readonly<Record<Source, number>> = { flag: 3, program: 3, environment: 2, file: 1 };

/** Of several options for the same setting: those from the strongest source. */
export function strongest<Name extends OptionName>(names: readonly Name[], effective: Effective): Name[] {
  const given = names.flatMap((name) => {
    const source = effective.get(name)?.[0]?.source;
    return source === undefined ? [] : [{ name, strength: STRENGTH[source] }];
  });
  const most = Math.max(0, ...given.map(({ strength }) => strength));
  return given.filter(({ strength }) => strength === most).map(({ name }) => name);
}
