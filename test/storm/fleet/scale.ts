import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemPlatform } from '../../../src/compose/platform.ts';
import { openConfigured } from '../../../src/compose/store/open-store.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { readSettingsFile } from '../../../src/config/sources/read-file.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';
import { bundleWorker } from '../../helpers/bundle-worker.ts';
import { RotatingEndpoint } from '../../peers/authorization-servers/rotating-endpoint.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';

export interface ScaleTask {
  /** The access token that the server has just refused; absent: it serves. */
  readonly refused?: string;
}

/** How a call of one instance ended, and when by the machine's clock. */
export interface ScaleAnswer {
  readonly token: string;
  readonly at: number;
  readonly failed?: string;
}

/** What a process answers when all its instances have been served. */
export interface ScaleReport {
  readonly answers: readonly ScaleAnswer[];
  /** Its processor time for them. */
  readonly processorMs: number;
}

export interface ScaleOptions {
  readonly processes: number;
  readonly instancesEach: number;
  readonly lapses: number;
  /** How long nothing is asked before the last lapse, to see what instances do by themselves. */
  readonly idleMs: number;
  readonly tell: (text: string) => void;
}

export interface ScaleFigures {
  readonly connections: number;
  readonly idleConnections: number;
  readonly posts: number;
  readonly replays: number;
  readonly failed: readonly string[];
  /** Operations of the engine, for each instance and lapse. */
  readonly operations: number;
  /** What they were. */
  readonly kinds: string;
  /** From the answer of the token endpoint to the last instance that had its token, for each lapse. */
  readonly lastAdoptedMs: readonly number[];
  /** From the answer to each instance. */
  readonly adoptedMs: readonly number[];
  /** Of the lapse after the idle time, when each instance has to connect again. */
  readonly lastAfterIdleMs: number;
  /** Processor time of all instances for each lapse. */
  readonly instancesMs: number;
  /** Processor time of the engine for each lapse. */
  readonly engineMs: number;
  /** For each instance and minute. */
  readonly idleOperations: number;
}

/** The token endpoint's own time. */
const SERVER_MS = 100;
const URL_OF_SERVER = 'https://mcp.example/mcp';
/** What an instance asks the engine. The server counts what the script does there by itself as well (HMGET, HSET, TIME, INFO). */
const OPERATIONS = /^cmdstat_(evalsha|eval|wait|ping|subscribe|unsubscribe):calls=(\d+)/gm;

/** Many instances in some processes, each with its own connection; a login whose access token is refused to all of them at once, again and again. */
export async function scale(options: ScaleOptions): Promise<ScaleFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-scale-'));
  await using engine = await RedisServer.start({ keepsData: true, args: ['--maxclients', '10000'] });
  await using endpoint = await RotatingEndpoint.start();
  const keyFile = join(folder, 'store.key');
  await writeFile(keyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const words = [URL_OF_SERVER, '--store', engine.url, '--store-key-file', keyFile];
  const children: ChildProcess[] = [];
  try {
    await signIn(words, endpoint.address);
    const file = await buildWorker(folder);
    for (let n = 0; n < options.processes; n++) {
      const child = fork(file, [String(options.instancesEach), ...words], { execArgv: [], stdio: 'inherit' });
      children.push(child);
      await once(child, 'message');
      options.tell(`process ${n + 1} of ${options.processes}`);
    }
    return await measure(engine, endpoint, children, options);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  engine: RedisServer,
  endpoint: RotatingEndpoint,
  children: readonly ChildProcess[],
  { processes, instancesEach, lapses, idleMs, tell }: ScaleOptions,
): Promise<ScaleFigures> {
  const instances = processes * instancesEach;
  let answeredAt = 0;
  endpoint.beforeAnswer = async () => {
    await new Promise((resolve) => setTimeout(resolve, SERVER_MS));
    answeredAt = Date.now();
  };
  const failed: string[] = [];
  const [adoptedMs, lastAdoptedMs]: [number[], number[]] = [[], []];
  const first = await ask(children, {});
  failed.push(
    ...first.answers.flatMap(({ token, failed: why }) => (token === 'A0' ? [] : [why ?? `token ${token}`])),
  );
  let instancesMs = 0;
  const lapse = async (number: number) => {
    const { answers, processorMs: usedMs } = await ask(children, { refused: `A${number - 1}` });
    for (const { token, at, failed: why } of answers) {
      if (token !== `A${number}`) failed.push(why ?? `token ${token}`);
      else adoptedMs.push(at - answeredAt);
    }
    const lastMs = Math.max(...answers.map(({ at }) => at)) - answeredAt;
    tell(`lapse ${number} of ${lapses}, the last after ${lastMs} ms`);
    instancesMs += usedMs;
    return lastMs;
  };
  const connections = Number(await engine.info('connected_clients'));
  const [before, cpuBefore] = [await operations(engine), await processorMs(engine)];
  for (let number = 1; number < lapses; number++) lastAdoptedMs.push(await lapse(number));
  const beforeIdle = await operations(engine);
  tell(`idle for ${idleMs / 1000} s`);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const [afterIdle, idleConnections] = [
    await operations(engine),
    Number(await engine.info('connected_clients')),
  ];
  const lastAfterIdleMs = await lapse(lapses);
  const [after, cpuAfter] = [await operations(engine), await processorMs(engine)];
  const each = (name: string) => {
    const between = (from: Counts, to: Counts) => (to.get(name) ?? 0) - (from.get(name) ?? 0);
    return (between(before, beforeIdle) + between(afterIdle, after)) / instances / lapses;
  };
  const kinds = [...after.keys()].map((name): [string, number] => [name, each(name)]);
  return {
    connections,
    idleConnections,
    posts: endpoint.posts.count(),
    replays: endpoint.count('replay'),
    failed,
    operations: kinds.reduce((sum, [, n]) => sum + n, 0),
    kinds: kinds.map(([name, n]) => `${name} ${n.toFixed(2)}`).join(', '),
    adoptedMs,
    lastAdoptedMs,
    lastAfterIdleMs,
    instancesMs: instancesMs / lapses,
    engineMs: (cpuAfter - cpuBefore) / lapses,
    idleOperations: (total(afterIdle) - total(beforeIdle)) / instances / (idleMs / 60_000),
  };
}

type Counts = ReadonlyMap<string, number>;

const total = (counts: Counts): number => [...counts.values()].reduce((sum, n) => sum + n, 0);

/** The same to all of them at once. The processor time is what they took for it. */
async function ask(children: readonly ChildProcess[], task: ScaleTask): Promise<ScaleReport> {
  const reports = await Promise.all(
    children.map(async (child): Promise<ScaleReport> => {
      const report = once(child, 'message');
      child.send(task);
      const [ends] = await report;
      return ends as ScaleReport;
    }),
  );
  return {
    answers: reports.flatMap(({ answers }) => answers),
    processorMs: reports.reduce((sum, { processorMs: usedMs }) => sum + usedMs, 0),
  };
}

/** What `login` would store. */
async function signIn(words: readonly string[], token: string): Promise<void> {
  const parsed = loadConfig(words, {}, readSettingsFile);
  if (parsed.command !== 'bridge') throw new Error('a bridge was meant');
  const { config } = parsed;
  const { store, close } = await openConfigured(config, systemPlatform(''), silentLogger);
  const now = Date.now();
  await store.write(
    keyOf(config),
    {
      family: 'family-1',
      server: URL_OF_SERVER,
      issuer: new URL(token).origin,
      endpoints: { token },
      client: { clientId: 'client', source: 'static' },
      tokens: {
        accessToken: 'A0',
        refreshToken: 'R0',
        tokenType: 'Bearer',
        obtainedAt: now,
        expiresAt: now + 3_600_000,
      },
    },
    'any',
  );
  await close();
}

async function operations(engine: RedisServer): Promise<Counts> {
  const text = String(await engine.call('INFO', 'commandstats'));
  return new Map(Array.from(text.matchAll(OPERATIONS), ([, name = '', count]) => [name, Number(count)]));
}

async function processorMs(engine: RedisServer): Promise<number> {
  const parts = [await engine.info('used_cpu_sys'), await engine.info('used_cpu_user')];
  return parts.reduce((sum, part) => sum + Number(part) * 1000, 0);
}

/** One file, so that processes start fast. */
function buildWorker(folder: string): Promise<string> {
  return bundleWorker('test/storm/fleet/scale-worker.ts', join(folder, 'scale-worker.mjs'));
}
