import { UsageError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import type { Command } from '../commands/commands.ts';
import { nearest } from '../commands/nearest.ts';
import { unsupportedFlags } from '../commands/unsupported.ts';
import { environmentName, type Given } from '../options/option.ts';
import { findOption, type OptionName, optionNames } from '../options/options.ts';

/** The options and other arguments on the command line. */
export interface CommandLine {
  readonly given: ReadonlyMap<OptionName, readonly Given[]>;
  readonly positionals: readonly string[];
}

/** Reads the arguments: `--name value`, `--name=value`, switches alone or as `--name=false`. Throws UsageError. */
export function readCommandLine(argv: readonly string[], command: Command = 'bridge'): CommandLine {
  const given = new Map<OptionName, Given[]>();
  const positionals: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] as string;
    if (argument === '--') {
      positionals.push(...argv.slice(at + 1));
      break;
    }
    if (!isFlag(argument)) {
      positionals.push(argument);
      continue;
    }
    const { written, name, inline } = splitFlag(argument);
    const found = findOption(name, command);
    if (found === undefined) throw unknownFlag(written, name);
    if (found.option.environmentOnly === true) {
      const hint = `set ${environmentName(found.name)} instead`;
      throw new UsageError(`${written} would show a secret to every program on this machine`, { hint });
    }
    let text = inline;
    if (text === undefined && found.option.placeholder === undefined) text = 'true';
    const { bare } = found.option;
    if (text === undefined && bare !== undefined && !bare.value.test(argv[at + 1] ?? '')) text = bare.text;
    if (text === undefined) {
      const next = argv[at + 1];
      if (next === undefined || isFlag(next)) {
        const { placeholder } = found.option;
        const isUnknown = next !== undefined && findOption(splitFlag(next).name, command) === undefined;
        throw new UsageError(`${written} needs a value: ${written} ${placeholder}`, {
          hint: isUnknown
            ? `if the value begins with a dash, write ${written}=${placeholder}, with the equals sign`
            : undefined,
        });
      }
      text = next;
      at++;
    }
    const values = given.get(found.name) ?? [];
    if (values.length > 0 && found.option.repeatable !== true && found.option.placeholder !== undefined) {
      throw new UsageError(`${written} was given twice; it takes one value`);
    }
    given.set(found.name, [...values, { text, place: written, source: 'flag' }]);
  }
  return { given, positionals };
}

const isFlag = (argument: string) => argument.startsWith('-') && argument.length > 1;

function splitFlag(argument: string): { written: string; name: string; inline: string | undefined } {
  const equals = argument.indexOf('=');
  const written = equals === -1 ? argument : argument.slice(0, equals);
  const inline = equals === -1 ? undefined : argument.slice(equals + 1);
  // A single dash is only for single letters: `-scope` does not mean `--scope`.
  const name = /^--[^-]{2}|^-[^-]$/.test(written) ? written.replace(/^--?/, '') : written;
  return { written, name, inline };
}

function unknownFlag(written: string, name: string): UsageError {
  if (unsupportedFlags.has(name)) return new UsageError(`${written} is not supported yet`);
  const near = nearest(name.replace(/^-+/, ''), optionNames);
  return new UsageError(`unknown flag ${quote(written)}`, {
    hint: near === undefined ? 'see --help for all flags' : `did you mean --${near}?`,
  });
}
