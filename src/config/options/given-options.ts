import type { Given } from './option.ts';
import type { OptionName } from './options.ts';

/** For each option the values of the strongest source, with paths expanded. */
export type Effective = ReadonlyMap<OptionName, readonly Given[]>;
