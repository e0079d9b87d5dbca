import type { Given } from './option.ts';
import type { OptionName } from './options.ts';

/** Each option's strongest values; the paths among them expanded. */
export type Effective = ReadonlyMap<OptionName, readonly Given[]>;
