import type { Authorization } from '../auth/authorization.ts';
import { AuthorizedTransport } from '../bridge/session/authorized-transport.ts';
import type { ToolFilter } from '../bridge/tools/tool-filter.ts';
import type { BridgeCommandParts } from '../commands/bridge.ts';
import type { Config, ToolSettings } from '../config/config.ts';
import { EraTransport } from '../eras/era-transport.ts';
import { describeError } from '../errors.ts';
import { createHostWriter } from '../host/writer.ts';
import type { Logger } from '../platform/log/logger.ts';
import { version } from '../platform/version.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';
import type { ServerCache } from '../protocol/server-cache.ts';
import { createCookies } from '../remote/http/cookies.ts';
import { createTransport } from '../remote/transport/create-transport.ts';
import { storePaths } from '../store/files/paths.ts';
import { keyOf } from '../store/record/credential-key.ts';
import { ServerCacheFile } from '../store/server-cache/server-cache.ts';
import { composeAuthorization } from './credential.ts';
import { type Platform, serverHttp } from './platform.ts';

/** The delay before the server cache is written: at its start a host requests several lists at once, and they are written together. */
const REMEMBER_AFTER_MS = 1_000;

/** The bridge's state between two starts, and its authorization. */
export interface BridgeState {
  readonly authorization: Authorization;
  readonly memory: ServerCache & { readonly flush: () => Promise<unknown> };
}

/** Composes the bridge with the credential and the server cache on disk. `onHostGone` is called when stdout has no reader any more. */
export async function composeBridge(
  config: Config,
  platform: Platform,
  logger: Logger,
  onHostGone: () => void,
): Promise<BridgeCommandParts> {
  const key = keyOf(config);
  const memory = new ServerCacheFile({
    folder: config.store.kind === 'memory' ? undefined : storePaths(config.home).servers,
    key,
    now: platform.clock.now,
    defer: (write) => void setTimeout(write, REMEMBER_AFTER_MS).unref(),
  });
  // The first message needs it; until then it is read beside the rest.
  memory.read().catch(() => undefined);
  const authorization = await composeAuthorization(config, key, platform, logger);
  return bridgeParts(config, platform, logger, { authorization, memory }, onHostGone);
}

/** The parts of a bridge with this authorization and this server cache. */
export async function bridgeParts(
  config: Config,
  platform: Platform,
  logger: Logger,
  { authorization, memory }: BridgeState,
  onHostGone: () => void,
): Promise<BridgeCommandParts> {
  const { server, maxMessageBytes } = config;
  const { clock, random } = platform;
  const http = await serverHttp(platform, config);
  const transport = await createTransport(
    config.transport,
    {
      http,
      url: server,
      headers: config.headers,
      maxMessageBytes,
      userAgent: `mcp-drawbridge/${version}`,
      ...withoutUndefined({ cookies: config.cookies ? createCookies(clock.now) : undefined }),
    },
    memory,
  );
  const authorized = new AuthorizedTransport({ transport, authorization, clock });
  const ports = { authorization, memory, clock, random, logger };
  return {
    stdin: platform.stdin,
    writer: createHostWriter(platform.stdout, onHostGone),
    transport: new EraTransport({ ...ports, transport: authorized }),
    ...ports,
    version,
    maxMessageBytes,
    wait: config.wait,
    onUnavailable: once(() => tellNotes(config, platform, logger)),
    parentIsGone: platform.watchParent(),
    ...withoutUndefined({
      pingIntervalMs: config.pingIntervalMs,
      toolFilter: config.tools && (await toolFilter(config.tools)),
    }),
    finish: async () => {
      await memory.flush();
      await http.close();
    },
  };
}

/** Few bridges hide tools, so the code for it is loaded only then. */
async function toolFilter(rules: ToolSettings): Promise<ToolFilter> {
  const { ToolFilter } = await import('../bridge/tools/tool-filter.ts');
  return new ToolFilter(rules);
}

function tellNotes({ home }: Config, { env }: Platform, logger: Logger): void {
  const tell = async () => {
    const { environmentNotes } = await import('./settings/sign-in-hint.ts');
    for (const note of await environmentNotes(home, env)) logger.inform(note);
  };
  tell().catch((error: unknown) =>
    logger.debug('no notes on the environment', { error: describeError(error) }),
  );
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
