import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ChangeDeps, changeHosts } from '../commands/hosts/change-hosts.ts';
import { entryText, isPrinted } from '../commands/hosts/print-entry.ts';
import { paint } from '../commands/hosts/show-plan.ts';
import type { McpRemoteParts } from '../commands/tokens/import-mcp-remote.ts';
import { type CommandConfig, loadConfig } from '../config/config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { describeError, InternalError } from '../errors.ts';
import type { TakenLogin } from '../install/entry/mcp-remote.ts';
import { serverNameOf } from '../install/entry/server-name.ts';
import { findHosts } from '../install/files/found-hosts.ts';
import { removePrivateSettings } from '../install/files/kept-program.ts';
import { entryRequest, type InstallParts, installParts } from '../install/machine.ts';
import { type HostPlan, planInstall, planReplace, planUninstall, usedSettings } from '../install/plan.ts';
import { runProgram } from '../platform/process/run-program.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import { shownAddress } from '../protocol/quote.ts';
import { CredentialPresentError, NoLoginFoundError } from '../store/files/store-errors.ts';
import type { Platform } from './platform.ts';

/** The output for stdout, and what decides the exit code; `usage`: the user has to specify more. */
interface HostsResult {
  readonly output: string;
  readonly outcome: 'done' | 'failed' | 'usage';
}

/** The time for a host's own command; Claude Code takes a second or two. Milliseconds. */
const HOST_COMMAND_LIMIT_MS = 60_000;

type ImportParts = Omit<McpRemoteParts, 'server' | 'headers' | 'folder' | 'shape'>;

/** Runs `install`, `uninstall` or `hosts`. */
export async function runHosts(
  {
    command,
    config,
  }: { readonly command: 'install' | 'uninstall' | 'hosts'; readonly config: CommandConfig },
  platform: Platform,
  signal: AbortSignal,
  importParts: (config: CommandConfig) => ImportParts,
): Promise<HostsResult> {
  const parts = installParts(config, platform);
  switch (command) {
    case 'hosts': {
      const { hosts, hostsTable } = await import('../commands/hosts/list-hosts.ts');
      const reports = await hosts(await findHosts(parts.place), parts.plans.own);
      const output = config.json ? `${JSON.stringify(reports, null, 2)}\n` : hostsTable(reports);
      return { output, outcome: 'done' };
    }
    case 'install':
      return install(config, platform, parts, signal, importParts);
    case 'uninstall':
      return uninstall(config, platform, parts, signal);
  }
}

async function install(
  config: CommandConfig,
  platform: Platform,
  parts: InstallParts,
  signal: AbortSignal,
  importParts: (config: CommandConfig) => ImportParts,
): Promise<HostsResult> {
  const { install: settings, server } = config;
  const { request, prepare } = entryRequest(config, platform, parts);
  const printed = settings.hosts.filter(isPrinted);
  if (settings.isPrint || printed.length > 0) {
    if (server === undefined) throw new InternalError('nothing to print without a server');
    const ids = settings.isPrint ? settings.hosts : printed;
    const name = settings.name ?? serverNameOf(server);
    if (settings.isPrint || printed.length === settings.hosts.length)
      await prepareIf(!settings.isDryRun, prepare);
    const output = entryText(name, request, ids, parts.place);
    if (settings.isPrint || printed.length === settings.hosts.length) return { output, outcome: 'done' };
    platform.stdout.write(`${output}\n`);
  }
  const hosts = settings.hosts.filter((id) => !isPrinted(id));
  const { replace } = settings;
  const plan = (found: Parameters<typeof planInstall>[0]): Promise<HostPlan> => {
    if (replace !== undefined) return planReplace(found, server, request, parts.plans);
    if (server === undefined) throw new InternalError('install without its server');
    const { profile } = config.oauth;
    const own = profile === 'default' ? undefined : profile;
    return planInstall(found, { server, profile: own, name: settings.name, entry: request }, parts.plans);
  };
  const outcome = await changeHosts({
    ...changeParts({ ...config, install: { ...settings, hosts } }, platform, parts, signal),
    plan,
    prepare,
    verb: 'install',
    ...(replace === undefined && server !== undefined
      ? {
          next: `The host signs in when it starts. To sign in now: ${ownCommand('login', ...config.loginCommand.words)}`,
        }
      : {}),
    takeOver: (login) => takeOver(login, config, platform, importParts),
  });
  return { output: '', outcome: outcome === 'asked' ? 'usage' : outcome };
}

async function prepareIf(isMeant: boolean, prepare: () => Promise<void>): Promise<void> {
  if (isMeant) await prepare();
}

async function uninstall(
  config: CommandConfig,
  platform: Platform,
  parts: InstallParts,
  signal: AbortSignal,
): Promise<HostsResult> {
  const removed: string[] = [];
  const outcome = await changeHosts({
    ...changeParts(config, platform, parts, signal),
    plan: async (found) => {
      const plan = await planUninstall(found, config.install.target ?? '', parts.plans);
      removed.push(...plan.changes.flatMap(({ settingsFile }) => settingsFile ?? []));
      return plan;
    },
    prepare: async () => {},
    verb: 'uninstall',
  });
  if (outcome !== 'asked' && !config.install.isDryRun) {
    const used = await usedSettings(await findHosts(parts.place), parts.plans.own);
    for (const file of removed) if (!used.has(file)) await removePrivateSettings(parts.home, file);
  }
  return { output: '', outcome: outcome === 'asked' ? 'usage' : outcome };
}

/** The shared parts of `install` and `uninstall`. */
function changeParts(
  config: CommandConfig,
  platform: Platform,
  { place, plans }: InstallParts,
  signal: AbortSignal,
): Pick<ChangeDeps, 'settings' | 'find' | 'apply' | 'say' | 'paint' | 'choose'> {
  const { stdin, stdout, env } = platform;
  const { install } = config;
  const isTerminal = 'isTTY' in stdout && stdout.isTTY === true;
  const project = install.isProject ? process.cwd() : undefined;
  return {
    settings: install,
    find: () => findHosts(place, project),
    apply: {
      journal: plans.journal,
      run: (program, args) => runProgram(program, args, { env, limitMs: HOST_COMMAND_LIMIT_MS }),
    },
    say: (text) => void stdout.write(text),
    paint: paint(isTerminal && !env.NO_COLOR),
    choose:
      isTerminal && stdin.isTTY === true
        ? async (question, choices) => {
            const { chooseSome } = await import('../ui/choose.ts');
            return chooseSome(question, choices, { input: stdin, output: stdout, signal });
          }
        : undefined,
  };
}

/** Imports a login of mcp-remote with the settings of the entry that replaces it; resolves with a message. */
async function takeOver(
  { settings, args, env }: TakenLogin,
  config: CommandConfig,
  platform: Platform,
  importParts: (config: CommandConfig) => ImportParts,
): Promise<string> {
  const { headers, authorizeParams, clientMetadataUrl, tokenEndpoint } = settings;
  const shown = shownAddress(settings.server);
  const environment = { ...platform.env, ...env };
  try {
    const parsed = loadConfig(['import-mcp-remote', ...args], environment, readSettingsFile);
    if (parsed.command !== 'import-mcp-remote' || parsed.config.server === undefined)
      return `${shown}: no login was looked for`;
    const own = { ...parsed.config, home: parsed.config.home ?? config.home };
    const { importMcpRemote } = await import('../commands/tokens/import-mcp-remote.ts');
    await importMcpRemote({
      ...importParts(own),
      server: parsed.config.server,
      headers,
      shape: { authorizeParams, clientMetadataUrl, tokenEndpoint },
      folder: environment.MCP_REMOTE_CONFIG_DIR || join(homedir(), '.mcp-auth'),
    });
    return `${shown}: the login of mcp-remote is taken over`;
  } catch (error) {
    if (error instanceof CredentialPresentError) return `${shown}: there is a login already, which stays`;
    if (error instanceof NoLoginFoundError)
      return `${shown}: mcp-remote has no login; the first start asks for one`;
    return `${shown}: the login of mcp-remote was not taken over: ${describeError(error)}`;
  }
}
