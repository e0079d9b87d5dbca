import { ConfigError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import { nearest } from '../commands/nearest.ts';
import { unsupportedFlags } from '../commands/unsupported.ts';
import { ENVIRONMENT_PREFIX, environmentName, type Given } from '../options/option.ts';
import { findOption, type OptionName, optionNames } from '../options/options.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The options in the environment, and warnings about unknown variables. */
export interface FromEnvironment {
  readonly given: ReadonlyMap<OptionName, readonly Given[]>;
  readonly warnings: readonly string[];
}

/**
 * Reads the variables `MCP_DRAWBRIDGE_…`. An empty variable counts as absent, since many hosts pass on fields that were not filled in. A repeatable
 * option has one value per line. Throws ConfigError.
 */
export function readEnvironment(environment: Environment): FromEnvironment {
  const given = new Map<OptionName, readonly Given[]>();
  const warnings: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(ENVIRONMENT_PREFIX) || text === undefined || text === '') continue;
    const name = variable.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll('_', '-');
    const found = findOption(name);
    if (found === undefined || found.option.flagOnly === true || name.length === 1) {
      if (unsupportedFlags.has(name)) throw new ConfigError(`${variable} is not supported yet`);
      warnings.push(unknownVariable(variable, name));
      continue;
    }
    const texts =
      found.option.repeatable === true ? text.split(/\r?\n/).filter((line) => line !== '') : [text];
    given.set(
      found.name,
      texts.map((each) => ({ text: each, place: variable, source: 'environment' })),
    );
  }
  return { given, warnings };
}

/** A warning, not an error: the environment is shared with programs and versions that this one does not know. */
function unknownVariable(variable: string, name: string): string {
  const near = nearest(name, optionNames);
  const suggestion = near === undefined ? '' : `; did you mean ${environmentName(near)}?`;
  return `the environment variable ${quote(variable)} is not known and has no effect${suggestion}`;
}
