import type { NamedCommand } from './compose/commands.ts';
import type { Platform } from './compose/platform.ts';
import { type Config, loadConfig, type ParsedCommand } from './config/config.ts';
import { readSettingsFile } from './config/sources/read-file.ts';
import { DrawbridgeError, describeError } from './errors.ts';
import type { Logger } from './platform/log/logger.ts';
import { missingHome } from './platform/program/home-folder.ts';

/** Exit codes, as documented in the README. */
const EXIT = { done: 0, failed: 1, usage: 2, signInNeeded: 3 } as const;

/** Error codes for unusable arguments or settings, among them a store folder that is not safe for logins. */
const REFUSED_SETTINGS: ReadonlySet<string> = new Set(['config', 'usage', 'store_insecure']);

/** Equal to `SIGN_IN_COMMAND` in auth/; written again here so that auth/ is not loaded for one constant. */
const SIGN_IN_COMMAND = '__sign-in';

const [, script = '', ...argv] = process.argv;

/** Not loaded for `--help` and the like: the HTTP client comes with it. */
async function platform(): Promise<Platform> {
  const { systemPlatform } = await import('./compose/platform.ts');
  return systemPlatform(script);
}

async function run(): Promise<number> {
  const home = missingHome(process.env, process.platform);
  if (home !== undefined) process.env.HOME = home;
  if (argv[0] === SIGN_IN_COMMAND) return runSignInProcess();
  let parsed: ParsedCommand;
  try {
    parsed = loadConfig(argv, process.env, readSettingsFile);
  } catch (error) {
    if (error instanceof DrawbridgeError) return refuse(error);
    throw error;
  }
  switch (parsed.command) {
    case 'help':
      return print((await import('./commands/help/help.ts')).helpText(parsed.topics));
    case 'presets':
      return print((await import('./commands/help/presets.ts')).presetsText());
    case 'version':
      return print((await import('./commands/help/version.ts')).versionText());
    case 'bridge':
      return runBridge(parsed.config, parsed.warnings);
    default:
      return runNamed(parsed);
  }
}

async function runNamed(parsed: NamedCommand): Promise<number> {
  const [{ composeLogger }, { runCommand }] = await Promise.all([
    import('./compose/log.ts'),
    import('./compose/commands.ts'),
  ]);
  const logger = composeLogger(parsed.config);
  for (const warning of parsed.warnings) logger.inform(`Warning: ${warning}`);
  try {
    const { output, outcome } = await runCommand(parsed, await platform(), logger, stopSignal());
    if (output !== '') await print(output);
    if (outcome === 'sign-in-needed') return EXIT.signInNeeded;
    if (outcome === 'usage') return EXIT.usage;
    return outcome === 'done' ? EXIT.done : EXIT.failed;
  } catch (error) {
    return failure(error, logger);
  } finally {
    await logger.close();
  }
}

async function runBridge(config: Config, warnings: readonly string[]): Promise<number> {
  const [{ composeBridge }, { composeLogger }, { logUnexpected }] = await Promise.all([
    import('./compose/bridge.ts'),
    import('./compose/log.ts'),
    import('./platform/log/unexpected-error.ts'),
  ]);
  const { bridge } = await import('./commands/bridge.ts');
  const logger = composeLogger(config);
  for (const warning of warnings) logger.inform(`Warning: ${warning}`);
  if (process.stdin.isTTY) {
    const { terminalText } = await import('./commands/help/terminal.ts');
    logger.inform(terminalText(config.server));
  }
  // An error thrown outside the handling of a message (in a listener, a timer) would end the process and every call in flight.
  process.on('uncaughtException', (error) => logUnexpected(logger, 'something other than a message', error));
  const hostGone = new AbortController();
  const stop = AbortSignal.any([stopSignal(), hostGone.signal]);
  try {
    const parts = await composeBridge(config, await platform(), logger, () => hostGone.abort('host-gone'));
    return (await bridge(parts, stop)) === 'answered' ? EXIT.done : EXIT.failed;
  } catch (error) {
    return failure(error, logger);
  } finally {
    await logger.close();
  }
}

async function failure(error: unknown, logger: Logger): Promise<number> {
  if (error instanceof DrawbridgeError && REFUSED_SETTINGS.has(error.code)) return refuse(error);
  const known = error instanceof DrawbridgeError ? error : undefined;
  const check = known?.check;
  logger.inform(
    `${describeError(error)}${known?.hint ? `. ${known.hint}` : ''}${check === undefined ? '' : ` [doctor: ${check}]`}`,
  );
  logger.debug('stopped', { error: error instanceof Error ? (error.stack ?? '') : String(error) });
  return known?.code === 'sign_in_needed' ? EXIT.signInNeeded : EXIT.failed;
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    // A second signal means that the user does not want to wait.
    process.on(signal, () => (stop.signal.aborted ? process.exit(EXIT.failed) : stop.abort('signal')));
  }
  return stop.signal;
}

async function runSignInProcess(): Promise<number> {
  const { composeSignIn } = await import('./compose/sign-in.ts');
  const { signInProcess } = await import('./commands/sign-in-process.ts');
  return signInProcess(await composeSignIn(await platform(), stopSignal()));
}

async function refuse(error: DrawbridgeError): Promise<number> {
  await tell(`${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`);
  return EXIT.usage;
}

/** Writes `text` to stderr through the same sink as the log, for use before the log exists or after it is closed. */
async function tell(text: string): Promise<void> {
  const { createEmergencyLog } = await import('./compose/log.ts');
  const log = createEmergencyLog();
  log.inform(text);
  await log.close();
}

function print(text: string): Promise<number> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve(EXIT.done)));
}

/** Runs the program and ends the process. Not at import: the library shares modules with this file, and must not start the program. */
export async function main(): Promise<void> {
  try {
    process.exit(await run());
  } catch (error) {
    await tell(error instanceof Error ? (error.stack ?? error.message) : String(error)).finally(() =>
      process.exit(EXIT.failed),
    );
  }
}
