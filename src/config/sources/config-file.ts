import { dirname, resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import { nearest } from '../commands/nearest.ts';
import { unsupportedFlags } from '../commands/unsupported.ts';
import type { Given, Option } from '../options/option.ts';
import { fileKeys, findOption, type OptionName } from '../options/options.ts';
import { expandHome } from './expand-home.ts';

/** Reads the text of a config file; relative paths in it are relative to `file`. Throws ConfigError. */
export function readConfigFile(
  text: string,
  file: string,
  home: string | undefined,
): ReadonlyMap<OptionName, readonly Given[]> {
  const given = new Map<OptionName, readonly Given[]>();
  for (const [key, value] of Object.entries(parseObject(text, file))) {
    const place = `${quote(key)} in ${quote(file)}`;
    const found = fileKeys.includes(key) ? findOption(key) : undefined;
    if (found === undefined) throw unknownKey(key, place);
    const texts = valueTexts(value, found.option);
    if (texts === undefined) throw new ConfigError(`${place}: expected ${expectedType(found.option)}`);
    given.set(
      found.name,
      texts.map((each) => ({
        text: found.option.path === true ? resolve(dirname(file), expandHome(each, home)) : each,
        place,
        source: 'file',
      })),
    );
  }
  return given;
}

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    // The error of JSON.parse quotes the text around the fault, which may contain secrets, so only its position is used.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line =
      position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
    throw new ConfigError(`${quote(file)} is not valid JSON${line}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${quote(file)}: expected one JSON object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function valueTexts(value: unknown, option: Option): readonly string[] | undefined {
  if (option.placeholder === undefined) return typeof value === 'boolean' ? [String(value)] : undefined;
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  const many = option.repeatable === true && Array.isArray(value);
  return many && value.every((each) => typeof each === 'string') ? value : undefined;
}

function expectedType(option: Option): string {
  if (option.placeholder === undefined) return 'true or false';
  return option.repeatable === true ? 'a string or an array of strings' : 'a string or a number';
}

function unknownKey(key: string, place: string): ConfigError {
  if (unsupportedFlags.has(key)) return new ConfigError(`${place} is not supported yet`);
  const near = nearest(key, fileKeys);
  return new ConfigError(`${place} is not an option`, {
    hint: near === undefined ? `the options are ${fileKeys.join(', ')}` : `did you mean "${near}"?`,
  });
}
