import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CommandConfig, Config, ParsedCommand } from '../config/config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { ConfigError, describeError, InternalError } from '../errors.ts';
import type { LogSink } from '../platform/log/sink.ts';
import { version } from '../platform/version.ts';
import { quote, shownAddress } from '../protocol/quote.ts';
import { withoutSecretsIn } from '../redaction/own-words.ts';
import { admitResource } from '../redaction/query-secrets.ts';
import type { Shared } from '../store/open-shared.ts';
import { keyOf } from '../store/record/credential-key.ts';
import type { PortableCredential } from '../store/record/portable.ts';
import { loginParts } from './login.ts';
import type { Platform } from './platform.ts';
import { challengeOf, guarded, revoker } from './server-challenge.ts';
import { otherStoreNote } from './settings/sign-in-hint.ts';
import type { StorePlatform } from './store/open-store.ts';
import { credentialParts, machineTokens } from './token-command.ts';

/** A command other than the bridge that needs the real platform. */
export type NamedCommand = Exclude<ParsedCommand, { command: 'bridge' | 'help' | 'version' | 'presets' }>;

/** The result of a command: the output for stdout, and what decides the exit code. */
export interface CommandResult {
  readonly output: string;
  readonly outcome: 'done' | 'failed' | 'sign-in-needed' | 'usage';
}

const done = (output = ''): CommandResult => ({ output, outcome: 'done' });

/** A longer text is not a credential. */
const STDIN_MAX_CHARACTERS = 256 * 1024;

/** Runs a command on the real platform, and closes the stores that it has opened. Rejects with a DrawbridgeError. */
export async function runCommand(
  command: NamedCommand,
  platform: Platform,
  logger: LogSink,
  signal: AbortSignal,
): Promise<CommandResult> {
  const opened: Shared[] = [];
  try {
    return await runOn(command, { ...platform, onStore: (shared) => opened.push(shared) }, logger, signal);
  } finally {
    await Promise.all(opened.map((shared) => shared.close()));
  }
}

async function runOn(
  { command, config }: NamedCommand,
  platform: Platform & Pick<StorePlatform, 'onStore'>,
  logger: LogSink,
  signal: AbortSignal,
): Promise<CommandResult> {
  switch (command) {
    case 'login': {
      await runLogin(withServer(config), config.force, platform, logger, signal);
      return done();
    }
    case 'token': {
      const { token, tokenLine } = await import('../commands/tokens/token.ts');
      if (config.token !== undefined) return done(tokenLine(config.token, config.wholeHeader));
      return done(await token(await credentialParts(withServer(config), platform, logger), config, signal));
    }
    case 'tokens export': {
      const { tokensExport } = await import('../commands/tokens/tokens-export.ts');
      return done(await tokensExport(await credentialParts(withServer(config), platform, logger), signal));
    }
    case 'tokens import': {
      const { tokensImport } = await import('../commands/tokens/tokens-import.ts');
      const input = await readInput(config.file, platform);
      const server = await tokensImport({
        ...importParts(config, platform, logger, signal),
        text: input,
        server: config.server,
      });
      logger.inform(`Saved the credential for ${shownAddress(server)}.`);
      return done();
    }
    case 'import-mcp-remote': {
      const { importMcpRemote } = await import('../commands/tokens/import-mcp-remote.ts');
      const { MCP_REMOTE_CONFIG_DIR } = platform.env;
      const server = await importMcpRemote({
        ...importParts(config, platform, logger, signal),
        server: withServer(config).server,
        headers: config.headers,
        folder: MCP_REMOTE_CONFIG_DIR || join(homedir(), '.mcp-auth'),
      });
      logger.inform(`Imported the login of mcp-remote for ${shownAddress(server)}.`);
      return done();
    }
    case 'doctor': {
      const { runDoctor } = await import('./doctor.ts');
      return runDoctor(config, platform, signal);
    }
    case 'bundle':
      return runBundle(config, platform, logger);
    case 'keychain':
      return runKeychain(config, platform, logger, signal);
    case 'move': {
      const { moveLogin } = await import('./store/move.ts');
      return done(await moveLogin(withServer(config), config, platform, logger, signal));
    }
    case 'store key':
      return makeStoreKey(config, platform, logger);
    case 'store reseal': {
      const { resealStore } = await import('./store/reseal.ts');
      return { output: '', outcome: (await resealStore(config, platform, logger)) ? 'done' : 'failed' };
    }
    case 'logout':
      return runLogout(config, platform, logger, signal);
    case 'status':
      return runStatus(config, platform, logger);
    case 'install':
    case 'uninstall':
    case 'hosts': {
      const { runHosts } = await import('./hosts.ts');
      return runHosts({ command, config }, platform, signal, (own) =>
        importParts(own, platform, logger, signal),
      );
    }
  }
}

async function makeStoreKey(
  { file, add }: CommandConfig,
  { random }: Platform,
  logger: LogSink,
): Promise<CommandResult> {
  const [{ storeKey }, { createPrivateFile: write, appendToFile: append }] = await Promise.all([
    import('../commands/store/store-key.ts'),
    import('../platform/program-files.ts'),
  ]);
  const output = storeKey({ file, add, random, write, append, read: readSettingsFile });
  const wrote = add ? 'Added a key as the last line of' : 'Wrote';
  if (output === '')
    logger.inform(
      `${wrote} ${quote(file ?? '')}. Copy it to each machine; anyone who has it can use the logins.`,
    );
  return done(output);
}

async function runLogin(
  config: Config,
  force: boolean,
  platform: Platform,
  logger: LogSink,
  signal: AbortSignal,
): Promise<void> {
  const { kind: grant } = config.oauth.machineGrant ?? {};
  if (grant !== undefined) {
    const { loginMachine } = await import('../commands/login-machine.ts');
    const obtain = machineTokens(config, platform, logger, { forceNew: true });
    return loginMachine({ server: config.server.href, grant, obtain, logger }, signal);
  }
  const { login } = await import('../commands/login.ts');
  return login(await loginParts(config, force, platform, logger), signal);
}

async function runBundle(
  { bundle: settings, server, force }: CommandConfig,
  platform: Platform,
  logger: LogSink,
): Promise<CommandResult> {
  const [{ bundle }, { programFiles, readInputFile, writeOutputFile }] = await Promise.all([
    import('../commands/bundle.ts'),
    import('../platform/program-files.ts'),
  ]);
  if (settings === undefined) throw new InternalError('a bundle without its settings');
  const { path, bytes } = bundle({
    settings: { ...settings, url: server?.href },
    iconFile: settings.iconFile,
    outputFile: settings.outputFile,
    force,
    version,
    readFile: readInputFile,
    programFiles: () => programFiles(platform.entry.at(-1) ?? ''),
    write: writeOutputFile,
  });
  if (server !== undefined && server.search !== '') {
    logger.inform('Warning: the address has a query, and everyone who has the bundle can read it.');
  }
  logger.inform(`Wrote ${quote(path)}, ${Math.ceil(bytes / 1024)} KiB. Open it with the host to install it.`);
  return done();
}

async function runLogout(
  config: CommandConfig,
  platform: Platform,
  logger: LogSink,
  signal: AbortSignal,
): Promise<CommandResult> {
  const [{ logout }, { openLasting }] = await Promise.all([
    import('../commands/logout.ts'),
    import('./store/open-store.ts'),
  ]);
  const shared = await openLasting(config, platform, logger);
  const { store } = shared;
  const keys = config.all ? await shared.storedKeys() : [keyOf(withServer(config))];
  const revoke = revoker(config, platform, signal);
  const others = async (key: string) =>
    (await shared.overview(platform.clock.now())).flatMap((each) =>
      each.key !== key && each.found.kind === 'record' ? [each.found.record] : [],
    );
  const isClean = await logout({ store, keys, others, revoke, logger, signal }).finally(shared.close);
  return { output: '', outcome: isClean ? 'done' : 'failed' };
}

async function runKeychain(
  { home, keychain, backend, json, keychainAction }: CommandConfig,
  { clock, random }: Platform,
  logger: LogSink,
  signal: AbortSignal,
): Promise<CommandResult> {
  const [commands, { readSealing, turnOff, turnOn }, { sealingOf }, { storePaths }] = await Promise.all([
    import('../commands/keychain.ts'),
    import('../store/conversion/seal-folder.ts'),
    import('../store/system-keychain.ts'),
    import('../store/files/paths.ts'),
  ]);
  const folder = storePaths(home).credentials;
  const sealing = sealingOf(folder);
  const options = { sealing, clock, random, signal };
  const parts = {
    folder,
    turnOn: () => turnOn(folder, backend ?? keychain, options),
    turnOff: () => turnOff(folder, options),
    read: () => readSealing(folder),
    tryKey: async (of: string, keyId: string) => (await sealing.keys()).get(of, keyId),
    logger,
  };
  if (keychainAction === 'status') {
    const status = await commands.keychainStatus(parts);
    const output = json ? `${JSON.stringify(status, null, 2)}\n` : commands.keychainLines(status);
    return { output, outcome: commands.isInOrder(status) ? 'done' : 'failed' };
  }
  const isDone = await (keychainAction === 'on' ? commands.keychainOn(parts) : commands.keychainOff(parts));
  return { output: '', outcome: isDone ? 'done' : 'failed' };
}

async function runStatus(config: CommandConfig, platform: Platform, logger: LogSink): Promise<CommandResult> {
  const [
    { readShared },
    { storeSettings },
    { statusOf, statusTable },
    { canonicalServer },
    { keepSecretsOf },
  ] = await Promise.all([
    import('../store/open-shared.ts'),
    import('./store/open-store.ts'),
    import('../commands/status.ts'),
    import('../store/record/key.ts'),
    import('../store/record/secrets.ts'),
  ]);
  const note = otherStoreNote(config.home);
  if (note !== undefined) logger.inform(note);
  const now = platform.clock.now();
  const { server, onlyProfile: profile } = config;
  const settings = storeSettings(config, platform, logger);
  const { overview, engine } =
    settings.store.kind === 'shared'
      ? await (await import('./store/read-engine.ts')).readEngine(settings, platform, logger)
      : { overview: await readShared(settings, now), engine: undefined };
  for (const { found, signIn } of overview) {
    if (found.kind === 'record') keepSecretsOf(found.record);
    if (signIn?.address !== undefined) admitResource(signIn.address);
  }
  const statuses = statusOf(overview, now, {
    server: server && canonicalServer(server),
    profile,
  }).map((each) => withoutSecretsIn({ ...each, engine }) as typeof each & { readonly engine: typeof engine });
  logger.debug('looked at the store', { count: statuses.length });
  const isNeeded = server !== undefined && !statuses.some(({ state }) => /^(signed in|expired)/.test(state));
  return {
    output: config.json ? `${JSON.stringify(statuses, null, 2)}\n` : statusTable(statuses, now),
    outcome: isNeeded ? 'sign-in-needed' : 'done',
  };
}

function importParts(config: CommandConfig, platform: Platform, logger: LogSink, signal: AbortSignal) {
  const { force, oauth } = config;
  return {
    force,
    oauth,
    now: platform.clock.now(),
    open: async (server: URL) => {
      const { openLasting } = await import('./store/open-store.ts');
      const { store } = await openLasting(config, platform, logger);
      return { store, key: keyOf({ ...config, server }) };
    },
    complete: async (server: URL, credential: PortableCredential) => {
      const { completeImport } = await import('../auth/credential/complete-imported.ts');
      const challenge = await challengeOf({ ...config, server }, platform, logger, signal);
      return guarded(config, server, platform, (fetch) =>
        completeImport(credential, {
          server,
          challenge,
          settings: oauth,
          fetch,
          signal,
        }),
      );
    },
  };
}

async function readInput(file: string | undefined, platform: Platform): Promise<string> {
  if (file !== undefined && file !== '-') {
    try {
      return readSettingsFile(file);
    } catch (error) {
      throw new ConfigError(`the credential cannot be read: ${describeError(error)}`);
    }
  }
  const input = await text(platform.stdin);
  if (input.length > STDIN_MAX_CHARACTERS)
    throw new ConfigError('the text on stdin is too large for a credential');
  return input;
}

function withServer(config: CommandConfig): Config {
  const { server } = config;
  if (server === undefined) throw new InternalError('a command without its server');
  return { ...config, server };
}
