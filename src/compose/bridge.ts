import { AuthorizedTransport } from '../bridge/session/authorized-transport.ts';
import type { ToolFilter } from '../bridge/tools/tool-filter.ts';
import type { BridgeCommandParts } from '../commands/bridge.ts';
import type { Config, ToolSettings } from '../config/config.ts';
import { EraTransport } from '../eras/era-transport.ts';
import { describeError } from '../errors.ts';
import { createHostWriter } from '../host/writer.ts';
import { systemClock } from '../platform/clock.ts';
import { clientCertificate, trustedCertificates } from '../platform/http/certificates.ts';
import { createHttp } from '../platform/http/undici.ts';
import type { LogSink } from '../platform/log/sink.ts';
import { watchParent } from '../platform/process/parent.ts';
import { systemRandom } from '../platform/random.ts';
import { version } from '../platform/version.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';
import { createCookies } from '../remote/http/cookies.ts';
import { createTransport } from '../remote/transport/create-transport.ts';
import { storePaths } from '../store/files/paths.ts';
import { keyOf } from '../store/record/credential-key.ts';
import { ServerCacheFile } from '../store/server-cache/server-cache.ts';
import { composeAuthorization } from './credential.ts';
import type { ProcessParts } from './process-parts.ts';

/** The delay before the server cache is written: at its start a host requests several lists at once, and they are written together. */
const REMEMBER_AFTER_MS = 1_000;

/** Composes the bridge with the real platform. `onHostGone` is called when nobody reads stdout any more. */
export async function composeBridge(
  config: Config,
  process: ProcessParts,
  logger: LogSink,
  onHostGone: () => void,
): Promise<BridgeCommandParts> {
  const { server, maxMessageBytes, home } = config;
  const { env } = process;
  const key = keyOf(config);
  const ca = trustedCertificates(config.caFile, env);
  const http = await createHttp({
    env,
    connectTimeoutMs: config.connectTimeoutMs,
    ...withoutUndefined({
      ca,
      clientCertificate: config.clientCertificate && clientCertificate(config.clientCertificate, server),
    }),
  });
  const memory = new ServerCacheFile({
    folder: config.store === 'memory' ? undefined : storePaths(home).servers,
    key,
    now: systemClock.now,
    defer: (write) => void setTimeout(write, REMEMBER_AFTER_MS).unref(),
  });
  const transport = await createTransport(
    config.transport,
    {
      http,
      url: server,
      headers: config.headers,
      maxMessageBytes,
      userAgent: `mcp-drawbridge/${version}`,
      ...(config.cookies ? { cookies: createCookies(systemClock.now) } : {}),
    },
    memory,
  );
  const authorization = await composeAuthorization(config, key, process, logger);
  const authorized = new AuthorizedTransport({ transport, authorization, clock: systemClock });
  const ports = { authorization, memory, clock: systemClock, random: systemRandom, logger };
  return {
    stdin: process.stdin,
    writer: createHostWriter(process.stdout, onHostGone),
    transport: new EraTransport({ ...ports, transport: authorized }),
    ...ports,
    version,
    maxMessageBytes,
    wait: config.wait,
    onUnavailable: once(() => tellNotes(config, env, logger)),
    parentIsGone: watchParent(),
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

function tellNotes({ home }: Config, env: ProcessParts['env'], logger: LogSink): void {
  const tell = async () => {
    const { environmentNotes } = await import('./sign-in-hint.ts');
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
