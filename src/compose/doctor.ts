import { isAbsolute } from 'node:path';
import { type Authorization, staticAuthorization } from '../auth/authorization.ts';
import { discover } from '../auth/discovery/discover.ts';
import { AccessTokenFactory } from '../auth/dpop/access-token.ts';
import { SignInNeededError } from '../auth/errors/errors.ts';
import { bridge } from '../commands/bridge.ts';
import { namedHosts } from '../commands/hosts/change-hosts.ts';
import { type CommandConfig, type Config, loadConfig } from '../config/config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { askServer, type StartBridge } from '../doctor/ask-server.ts';
import { authChecks } from '../doctor/auth-checks.ts';
import {
  type Check,
  type CheckResult,
  outcomeOf,
  resultLines,
  resultsJson,
  runChecks,
  summaryLine,
} from '../doctor/check.ts';
import { type HostCheckDeps, hostChecks, type SeenHost } from '../doctor/host-checks.ts';
import { loginState } from '../doctor/login.ts';
import { type MachineCheckDeps, machineChecks, type Sealing } from '../doctor/machine-checks.ts';
import { serverChecks } from '../doctor/server-checks.ts';
import { describeError } from '../errors.ts';
import type { OwnProgram } from '../install/entry/known-command.ts';
import { type FoundHost, findHosts } from '../install/files/found-hosts.ts';
import { installParts } from '../install/machine.ts';
import { entriesOf } from '../install/plan.ts';
import { systemClock } from '../platform/clock.ts';
import { hasDesktop } from '../platform/desktop/browser.ts';
import { listenOnLoopback } from '../platform/http/loopback-listener.ts';
import { mayUseProxy } from '../platform/http/pools.ts';
import { silentLogger } from '../platform/log/logger.ts';
import { printable } from '../platform/log/printable.ts';
import { terminalDraw } from '../platform/log/terminal.ts';
import { findProgram, isFile } from '../platform/program/find-program.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import { systemRandom } from '../platform/random.ts';
import { version } from '../platform/version.ts';
import { redactor } from '../redaction/secrets.ts';
import { type EndpointAnswer, probeEndpoint } from '../remote/http/challenge-probe.ts';
import { withinTimeLimit } from '../remote/http/time-limit.ts';
import { readSealing } from '../store/conversion/seal-folder.ts';
import { storePaths } from '../store/files/paths.ts';
import { folderFacts } from '../store/folder-facts.ts';
import { openShared, readShared } from '../store/open-shared.ts';
import type { CredentialOverview } from '../store/port/overview.ts';
import { keyOf } from '../store/record/credential-key.ts';
import { canonicalServer } from '../store/record/key.ts';
import { keepSecretsOf } from '../store/record/secrets.ts';
import { sealingOf } from '../store/system-keychain.ts';
import { spin } from '../ui/spinner.ts';
import { bridgeParts } from './bridge.ts';
import type { Platform } from './platform.ts';
import { guarded, withOrigin } from './server-challenge.ts';
import { environmentNotes, signInHint } from './settings/sign-in-hint.ts';
import { storeSettings } from './store/open-store.ts';

/** `doctor`: checks this machine and, with an address, the path to the server. Changes nothing. */
export async function runDoctor(
  config: CommandConfig,
  platform: Platform,
  signal: AbortSignal,
): Promise<{ readonly output: string; readonly outcome: ReturnType<typeof outcomeOf> }> {
  let read: Promise<readonly CredentialOverview[]> | undefined;
  const overview = () => {
    read ??= readStore(config, platform);
    return read;
  };
  const hosts = await hostsOf(config, platform);
  const checks: Check[] = [...machineChecks(machine(config, platform, overview)), ...hostChecks(hosts)];
  const { server } = config;
  if (server !== undefined) checks.push(...(await checksOfServer({ ...config, server }, platform, overview)));
  const draw = terminalDraw(config.log.silent);
  let spinner: ReturnType<typeof spin> | undefined;
  const found = await runChecks(
    checks,
    signal,
    (id) => {
      spinner = spin(id, systemClock, draw);
    },
    () => spinner?.stop(),
  );
  // Not earlier: by now all secrets are known.
  const results = found.map(shownResult);
  const output = config.json
    ? `${JSON.stringify(resultsJson(results), null, 2)}\n`
    : [...results.map(resultLines), summaryLine(results)].join('');
  return { output, outcome: outcomeOf(results) };
}

/** A result in printable form: files of hosts and responses of servers may contain anything. */
function shownResult(result: CheckResult): CheckResult {
  const shown = (text: string) => printable(redactor.redact(text));
  const text = shown(result.text);
  return 'wayOut' in result && result.wayOut !== undefined
    ? { ...result, text, wayOut: shown(result.wayOut) }
    : { ...result, text };
}

/** The logins on this machine; their secrets are redacted from the output. */
async function readStore(config: CommandConfig, platform: Platform): Promise<readonly CredentialOverview[]> {
  const found = await readShared(storeSettings(config, platform, silentLogger), systemClock.now());
  for (const each of found) {
    if (each.found.kind === 'record') keepSecretsOf(each.found.record);
  }
  return found;
}

/** Reads the key as a bridge would. Rejects with KeychainError if it is unavailable. */
async function readSealingOf(folder: string): Promise<Sealing> {
  const { marker, plain, sealed } = await readSealing(folder);
  if (marker === undefined) return sealed > 0 ? { kind: 'without-marker', sealed } : { kind: 'none' };
  const { backend, keyId, state } = marker;
  const keys = await sealingOf(folder).keys();
  await keys.get(backend, keyId);
  return { kind: 'sealed', backend, state, plain };
}

/** What the engine of a shared store is, if its logins could be read with the key. */
async function readEngine(
  config: CommandConfig,
  platform: Platform,
  overview: () => Promise<readonly CredentialOverview[]>,
): Promise<readonly string[]> {
  const shared = await openShared(storeSettings(config, platform, silentLogger));
  try {
    const logins = await overview();
    const { engineLines, engineStatus, sealingLines } = await import('../commands/store/engine-lines.ts');
    const description = await shared.describe();
    if (description === undefined) return [];
    const status = engineStatus(shared.store.place, description, logins, systemClock.now());
    return [...engineLines(status), ...sealingLines(logins)];
  } finally {
    await shared.close();
  }
}

const NOBODY: Readonly<Record<NonNullable<CommandConfig['nonInteractiveReason']>, string>> = {
  asked: '--non-interactive is set',
  ci: 'CI is set',
  'shared-store': 'bridges on a shared store ask nobody',
};

function machine(
  config: CommandConfig,
  platform: Platform,
  overview: () => Promise<readonly CredentialOverview[]>,
): MachineCheckDeps {
  const { home, nonInteractiveReason } = config;
  const { env } = platform;
  const folder = storePaths(home).home;
  return {
    nodeVersion: process.versions.node,
    env,
    nobody: nonInteractiveReason && NOBODY[nonInteractiveReason],
    hasDesktop: () => hasDesktop(env),
    notes: async () => environmentNotes(home, env),
    folder,
    facts: () => folderFacts(folder),
    sealing: () => readSealingOf(storePaths(home).credentials),
    engine: config.store.kind === 'shared' ? () => readEngine(config, platform, overview) : undefined,
    overview,
    now: systemClock.now,
  };
}

async function checksOfServer(
  config: Config,
  platform: Platform,
  overview: () => Promise<readonly CredentialOverview[]>,
): Promise<readonly Check[]> {
  const { server, oauth } = config;
  const machineGrant = oauth.machineGrant?.kind;
  const { checks, challenge, asksForSignIn, isRefused } = serverChecks({
    server,
    probe: {
      ping: (signal) => probe(config, platform, 'POST', signal),
      get: (signal) => probe(config, platform, 'GET', signal),
    },
    isProxied: mayUseProxy(server, platform.env),
    isAuthorized: config.staticAuthorization,
    now: systemClock.now,
  });
  const auth = authChecks({
    settings: oauth,
    machineGrant,
    discover: async (signal) => {
      const found = await challenge(signal);
      return guarded(config, server, platform, (fetch) =>
        discover({
          server,
          challenge: found ?? {},
          settings: oauth,
          fetch,
          flow: machineGrant === undefined ? 'redirect' : 'direct',
          signal,
        }),
      );
    },
    tryCallback: async () => {
      const { host, port, path } = oauth.callback;
      const listener = await listenOnLoopback({ host, port, path, answer: async () => NO_ANSWER });
      await listener.close();
    },
    login: async () =>
      loginState(await overview(), keyOf(config), canonicalServer(server), systemClock.now()),
    loginCommand: signInHint(config),
    asksForSignIn,
    isRefused,
    ask: async (signal) => {
      const authorization = await storedAuthorization(config, overview);
      const startBridge: StartBridge = async (stdin, stdout, stop) => {
        // Lists wait for the server: a stand-in's response would say nothing about it.
        const patient = { ...config, wait: true, tools: undefined };
        const streams = { ...platform, stdin, stdout };
        const state = { authorization, memory: NO_MEMORY };
        const parts = await bridgeParts(patient, streams, silentLogger, state, () => undefined);
        return bridge({ ...parts, onUnavailable: () => undefined }, stop);
      };
      return askServer(startBridge, version, platform.clock, signal);
    },
  });
  return [...checks, ...auth];
}

/** Longer than a starting server takes. Counted from when the connection must have been made. */
const PROBE_LIMIT_MS = 10_000;

function probe(
  config: Config,
  platform: Platform,
  method: 'POST' | 'GET',
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  const { server, connectTimeoutMs } = config;
  const ms = connectTimeoutMs + PROBE_LIMIT_MS;
  return withinTimeLimit({ clock: platform.clock, ms, signal, what: 'an answer of the server' }, (limit) =>
    withOrigin(config, platform, (origin) => probeEndpoint(origin, server, method, limit)),
  );
}

/** The port is not published, so no request arrives. */
const NO_ANSWER = { status: 404, headers: {}, body: '' };

const NO_MEMORY = { read: async () => ({}), update: () => undefined, flush: async () => undefined };

/** The login as stored: it is neither refreshed nor replaced. */
async function storedAuthorization(
  config: Config,
  overview: () => Promise<readonly CredentialOverview[]>,
): Promise<Authorization> {
  if (config.staticAuthorization) return staticAuthorization();
  const key = keyOf(config);
  const found = (await overview()).find((each) => each.key === key)?.found;
  const tokens = new AccessTokenFactory({ clock: systemClock, random: systemRandom, memory: new Map() });
  const bearer = tokens.of(found?.kind === 'record' ? found.record : undefined);
  return {
    current: () => bearer,
    recover: async () => {
      throw bearer === undefined
        ? new SignInNeededError('the server asks for a sign-in (401), though not for every message', {
            hint: signInHint(config),
          })
        : new SignInNeededError('the server refuses the access token of this login (401)', {
            hint: 'A bridge refreshes it with its next call, or asks for a sign-in.',
          });
    },
    close: () => undefined,
  };
}

/** The hosts of this machine, or those of `--host`. Rejects with a UsageError for an unknown name. */
async function hostsOf(config: CommandConfig, platform: Platform): Promise<HostCheckDeps> {
  const { place, plans } = installParts(config, platform);
  const { hosts: wanted } = config.install;
  const all = await findHosts(place);
  const chosen = wanted.length === 0 ? all.filter(({ isHere }) => isHere) : namedHosts(all, wanted, false);
  return {
    hosts: () => Promise.all(chosen.map((each) => seenHost(each, plans.own))),
    refusal: (args, env) => {
      try {
        loadConfig(args, { ...place.env, ...env }, readSettingsFile);
        return undefined;
      } catch (error) {
        return describeError(error);
      }
    },
    isProgram: (word) => (isAbsolute(word) ? isFile(word) : findProgram(word, place) !== undefined),
    isFile,
    replaceCommand: ownCommand('install', '--replace', 'mcp-remote'),
  };
}

async function seenHost(found: FoundHost, own: OwnProgram): Promise<SeenHost> {
  const { ours, mcpRemote, fault } = await entriesOf(found, own);
  return {
    id: found.id,
    file: found.file,
    fault: fault && `line ${fault.line ?? '?'}, ${fault.reason}`,
    ours: ours.map(({ name, args, command }) => ({ name, args, words: command.words, env: command.env })),
    mcpRemote: mcpRemote.map(({ name }) => name),
  };
}
