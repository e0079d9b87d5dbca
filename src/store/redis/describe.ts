import type { EngineDescription } from '../shared/engine.ts';
import type { ClientTools, RedisClient, Reply } from './client.ts';
import { BadReplyError, EngineRefusal } from './errors.ts';
import { COMMAND_MS } from './limits.ts';

/** Queries a server about itself. What its access list forbids stays undefined. Rejects like `RedisClient.send`. */
export async function describeServer(
  client: RedisClient,
  { clock }: Pick<ClientTools, 'clock'>,
): Promise<EngineDescription> {
  const start = clock.monotonic();
  const time = await client.send('TIME', [], COMMAND_MS);
  const roundTripMs = clock.monotonic() - start;
  const [seconds = Number.NaN, micros = Number.NaN] = Array.isArray(time) ? time.map(numberOf) : [];
  if (![seconds, micros].every((each) => Number.isSafeInteger(each) && each >= 0)) {
    throw new BadReplyError('no answer of TIME');
  }
  const sections = ['server', 'replication', 'persistence', 'memory'].map((section) =>
    readInfo(client, section),
  );
  const [server, replication, persistence, memory] = await Promise.all(sections);
  const [run, history] = [server?.get('run_id'), replication?.get('master_replid')];
  const replicas = replication?.get('connected_slaves');
  const upFor = Number(server?.get('uptime_in_seconds'));
  return {
    engine: nameOf(server),
    role: ROLES[replication?.get('role') ?? ''],
    epoch: run === undefined || history === undefined ? undefined : `${run}-${history}`,
    upForMs: Number.isSafeInteger(upFor) && upFor >= 0 ? upFor * 1000 : undefined,
    roundTripMs,
    now: seconds * 1000 + Math.floor(micros / 1000),
    replicas: replicas === undefined ? undefined : Number(replicas),
    ...(persistence === undefined ? {} : diskOf(persistence)),
    evictionPolicy: memory?.get('maxmemory_policy'),
  };
}

/** The server's eviction policy, such as `noeviction`. Undefined if it does not say; rejects like `RedisClient.send`. */
export async function evictionPolicy(client: RedisClient): Promise<string | undefined> {
  return (await readInfo(client, 'memory'))?.get('maxmemory_policy');
}

type Info = ReadonlyMap<string, string>;

const ROLES: Readonly<Record<string, string>> = { master: 'primary', slave: 'replica' };
const numberOf = (reply: Reply): number =>
  reply instanceof Uint8Array ? Number(Buffer.from(reply).toString()) : Number.NaN;

/** Longer than any value that is read here. */
const MAX_VALUE_CHARACTERS = 128;

async function readInfo(client: RedisClient, section: string): Promise<Info | undefined> {
  try {
    const text = await client.send('INFO', [section], COMMAND_MS);
    if (!(text instanceof Uint8Array)) return undefined;
    const lines = Buffer.from(text)
      .toString()
      .matchAll(/^([a-z_]+):([\x20-\x7e]*)\r?$/gm);
    return new Map(
      Array.from(lines, ([, name = '', value = '']) => [name, value.slice(0, MAX_VALUE_CHARACTERS)]),
    );
  } catch (error) {
    if (error instanceof EngineRefusal) return undefined;
    throw error;
  }
}

function nameOf(server: Info | undefined): string {
  const [valkey, redis] = [server?.get('valkey_version'), server?.get('redis_version')];
  if (valkey !== undefined) return `valkey ${valkey}`;
  return redis === undefined ? 'redis' : `redis ${redis}`;
}

/** A server shows its schedule of snapshots to administrators only, and counts them since version 7. */
function diskOf(info: Info): Pick<EngineDescription, 'persistence' | 'isPersistent'> {
  const saves = Number(info.get('rdb_saves'));
  const hasFile = info.get('aof_enabled') === '1';
  const parts = [
    ...(hasFile ? ['append-only file'] : []),
    ...(saves > 0 ? [`snapshots (${saves} since its start)`] : []),
  ];
  if (parts.length > 0) return { persistence: parts.join(', '), isPersistent: true };
  return Number.isNaN(saves)
    ? { persistence: 'no append-only file' }
    : { persistence: 'no append-only file, and no snapshot since its start', isPersistent: false };
}
