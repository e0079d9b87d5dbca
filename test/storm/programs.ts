import { join } from 'node:path';
import { Command } from '../peers/hosts/command.ts';
import { PackageFolder, type ProgramName } from '../peers/programs/package-folder.ts';
import { RunningProgram } from '../peers/programs/running-program.ts';
import type { CallEnd } from './instance.ts';
import { StormWorld } from './world.ts';

export interface ProgramStormOptions {
  /** One process for each. */
  readonly programs: readonly ProgramName[];
  /** Bridges on the same login. */
  readonly bridges: number;
  /** Commands (`token`) at each lapse, on the same login. */
  readonly commands: number;
  /** How often the server revokes the access token of all of them; by the record's word it is at its end then, too. */
  readonly lapses: number;
  readonly onLapse?: (lapse: number) => void;
}

export interface ProgramStormFigures {
  readonly refreshPosts: number;
  readonly replays: number;
  /** Sign-ins after the first one. */
  readonly signIns: number;
  /** Lapses after which somebody had to sign in. */
  readonly loginsLost: number;
  readonly tabs: number;
  readonly failed: readonly string[];
  /** Of each first call that was served after a lapse, from when it was asked for. */
  readonly tookMs: readonly number[];
}

/** Something that uses the login. */
type Participant = () => Promise<CallEnd>;

/** Programs, bridges and commands on one login, and a token that lapses again and again while all of them have something to ask. */
export async function programStorm(options: ProgramStormOptions): Promise<ProgramStormFigures> {
  await using world = await StormWorld.create();
  const live = [...(await programs(world, options.programs)), ...bridges(world, options.bridges)];
  // The first one signs in, the others find the login.
  const failed: string[] = [];
  for (const some of [live.slice(0, 1), live.slice(1)]) {
    const ends = await Promise.all(some.map((call) => call()));
    failed.push(...ends.flatMap(failure));
  }
  const before = await counted(world);
  const commands = Array.from({ length: options.commands }, () => tokenCommand(world));
  const tookMs: number[] = [];
  let loginsLost = 0;
  for (let lapse = 1; lapse <= options.lapses; lapse++) {
    const { signIns } = await counted(world);
    await lapseForAll(world);
    const ends = await Promise.all([...live, ...commands].map((call) => call()));
    for (const end of ends) if (end.kind === 'served') tookMs.push(end.tookMs);
    // Once more each, with the token that is there now.
    const next = await Promise.all(live.map((call) => call()));
    failed.push(...[...ends, ...next].flatMap(failure));
    if ((await counted(world)).signIns > signIns) loginsLost++;
    options.onLapse?.(lapse);
  }
  const after = await counted(world);
  return {
    refreshPosts: after.refreshPosts - before.refreshPosts,
    replays: after.replays - before.replays,
    signIns: after.signIns - before.signIns,
    tabs: after.tabs - before.tabs,
    loginsLost,
    failed,
    tookMs,
  };
}

async function counted({ authority, browser }: StormWorld) {
  const { refreshPosts, replays, codeExchangePosts: signIns } = authority.counters;
  return { refreshPosts, replays, signIns, tabs: browser.opened.length };
}

async function lapseForAll(world: StormWorld): Promise<void> {
  world.authority.tokens.revokeAll();
  const record = await world.record();
  if (record !== undefined) await world.expire('default', record);
}

async function programs(world: StormWorld, names: readonly ProgramName[]): Promise<Participant[]> {
  const folder = await PackageFolder.create(world.home.folder);
  const env = world.home.env({
    BROWSER: world.browser.command,
    MCP_URL: world.server.url,
    LOGIN_FILE: join(world.home.folder, 'login.json'),
  });
  return names.map((name) => {
    const program = new RunningProgram(folder, name, { env });
    let calls = 0;
    return timed(async () => {
      const value = ++calls;
      const text = await program.call(value, CALL_MS);
      if (text !== String(value)) throw new Error(`the answer to another call: ${text}`);
    });
  });
}

/** Longer than what a loaded machine takes for 32 sign-ins. */
const CALL_MS = 60_000;

function bridges(world: StormWorld, count: number): Participant[] {
  return Array.from({ length: count }, () => {
    const instance = world.start();
    return () => instance.call();
  });
}

/** `token`, which has to print one that the server accepts. */
function tokenCommand(world: StormWorld): Participant {
  const env = world.home.env({ BROWSER: world.browser.command });
  return timed(async () => {
    const command = new Command(['token', world.server.url], env, world.program);
    command.child.stdin.end();
    const { code, stdout, stderr } = await command.ended;
    if (code !== 0) throw new Error(`token ended with ${code}: ${stderr}`);
    if (!world.authority.tokens.isGood(stdout.trim()))
      throw new Error('token printed one that serves no more');
  });
}

function timed(act: () => Promise<void>): Participant {
  return async () => {
    const startedAt = performance.now();
    try {
      await act();
      return { kind: 'served', tookMs: performance.now() - startedAt };
    } catch (error) {
      return { kind: 'failed', why: (error as Error).message };
    }
  };
}

function failure(end: CallEnd): string[] {
  if (end.kind === 'served') return [];
  return [end.kind === 'gone' ? 'the process has ended' : end.why];
}
