import { UsageError } from '../errors.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import { environmentName, maybeSecret, type Option } from './options/option.ts';
import { type OptionName, options } from './options/options.ts';
import type { ReadSettings } from './sources/settings.ts';

/** The settings that a bundle takes to other machines. */
export interface BundleConfig {
  readonly name: string;
  readonly iconFile?: string | undefined;
  readonly outputFile?: string | undefined;
  /** Variables of the bridge's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** They concern the bundle itself, or this run of the program. */
const OWN: ReadonlySet<OptionName> = new Set([
  'url',
  'name',
  'icon',
  'output',
  'force',
  'config',
  'silent',
  'log-format',
]);

/**
 * The settings for `bundle`, except those from the environment, which belongs to this machine. Throws UsageError for settings that cannot work on another
 * machine or must not be shared.
 */
export function bundleConfig({ settings, effective }: ReadSettings, server: URL | undefined): BundleConfig {
  const name = settings.name ?? server?.host;
  if (name === undefined) throw new UsageError('a bundle without an address needs a --name');
  const environment: Record<string, string> = {};
  for (const [option, given] of effective) {
    const declared: Option = options[option];
    const texts = given.filter(({ source }) => source !== 'environment').map(({ text }) => text);
    if (OWN.has(option) || texts.length === 0) continue;
    if (texts.some((text) => maybeSecret(declared, text))) {
      throw new UsageError(
        `--${option} may be a secret, and everyone who has the bundle can read what is in it`,
        {
          hint: `leave it out: the generic bundle (${ownCommand('bundle', '--name', 'NAME')}) asks for a header when it is installed`,
        },
      );
    }
    if (declared.path === true) {
      throw new UsageError(`--${option} names a file of this machine, and a bundle is for others`);
    }
    if (texts.some((text) => text.includes('${'))) {
      throw new UsageError(`--${option}: a bundle cannot hold \${…}, which hosts replace`);
    }
    environment[environmentName(option)] = texts.join('\n');
  }
  if (
    environment[environmentName('store')]?.includes('://') &&
    !environment[environmentName('store-key-command')]
  ) {
    throw new UsageError('a bundle carries no key, and a shared store needs one', {
      hint: 'pass --store-key-command with a program that prints it on the machine where the bundle is installed',
    });
  }
  return { name, iconFile: settings.icon, outputFile: settings.output, environment };
}
