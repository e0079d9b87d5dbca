import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { visit } from '../peers/browsers/browser-visit.ts';
import { faults } from '../peers/faults/faults.ts';
import { carries } from '../peers/mcp-servers/mcp-server.ts';
import { windows } from './desktop.ts';
import { firstAnswerMs, startOf, textOf } from './recording.ts';
import type { HostRun, Stage, Visit } from './stage.ts';
import { WHAT_TO_DO } from './wish.ts';

/** What came of a cell. */
export interface Played {
  /** Why it fails; undefined: it does not. */
  readonly fails?: string;
  /** From the host's start to the arrival of the tool's call at the MCP server. */
  readonly seconds?: number;
  /** The tools come too late for this host, and what it was told says what to do. */
  readonly told?: string;
  readonly note?: string;
}

export interface Cell {
  readonly name: string;
  readonly title: string;
  /** Whether the MCP server asks for a sign-in. */
  readonly isOpen?: true;
  readonly play: (stage: Stage) => Promise<Played>;
}

const run = promisify(execFile);
/** A model that waits for a tool gives up so long after the person has done all that a person can do. */
const PATIENCE_MS = 20_000;
/** Nobody sits longer before a screen on which no tab opens. */
const TAB_MS = 40_000;
/** A host that is ended in the middle of a sign-in has had time to be at rest. */
const REST_MS = 6_000;
/** A bridge that still runs so long after its host has been left behind. */
const GONE_MS = 2_000;

const firsts = [1, 25, 70].map(
  (seconds): Cell => ({
    name: `first-${seconds}`,
    title: `first start, signed in after ${seconds} s`,
    play: (stage) => firstStart(stage, seconds),
  }),
);

const slows = [3, 12, 40].map(
  (seconds): Cell => ({
    name: `slow-${seconds}`,
    title: `\`initialize\` takes ${seconds} s`,
    isOpen: true,
    play: async (stage) => {
      stage.server.fail(faults.delay(seconds * 1000), carries('initialize'));
      const host = await stage.start({ keepsWaiting: within(seconds * 1000 + PATIENCE_MS) });
      await host.exited;
      return (await ending(stage, host)) ?? served(stage, host);
    },
  }),
);

export const CELLS: readonly Cell[] = [
  ...firsts,
  {
    name: 'second',
    title: 'second start',
    play: async (stage) => {
      const first = await firstStart(stage, 0);
      if (first.fails !== undefined) return { fails: `the first start: ${first.fails}` };
      const host = await stage.start({ keepsWaiting: within(PATIENCE_MS) });
      await host.exited;
      const failed = (await ending(stage, host)) ?? tabs(stage, 1);
      const last = (await stage.recordings())
        .filter((one) => !startOf(one).argv.includes('__sign-in'))
        .at(-1);
      const answerMs = last && firstAnswerMs(last);
      return failed ?? { ...served(stage, host), note: `first answer after ${answerMs} ms` };
    },
  },
  {
    name: 'lapse',
    title: 'the token expires between two calls',
    play: async (stage) => {
      stage.authority.accessTokenTtlSeconds = 15;
      let before = 0;
      const person = stage.answerTab(0);
      const host = await stage.start({
        calls: 2,
        keepsWaiting: within(PATIENCE_MS),
        before: async (call) => {
          if (call === 0) return;
          before = stage.authority.counters.refreshes;
          const expiresAt = stage.authority.tokens.newest?.expiresAt ?? 0;
          await delay(Math.max(0, expiresAt - Date.now()) + 100);
        },
      });
      await Promise.all([host.exited, person]);
      const failed = (await ending(stage, host)) ?? tabs(stage, 1);
      if (failed !== undefined) return failed;
      // One that was due has been replaced ahead of its end, which is one, too.
      const refreshes = stage.authority.counters.refreshes - before;
      return refreshes === 1 ? served(stage, host, 1) : { fails: `${refreshes} refreshes in place of 1` };
    },
  },
  {
    name: 'two',
    title: 'two at once, nobody signed in',
    play: async (stage) => {
      const person = stage.answerTab(1);
      const keepsWaiting = within(PATIENCE_MS * 2);
      const hosts = [await stage.start({ keepsWaiting }), await stage.start({ keepsWaiting })];
      await Promise.all([person, ...hosts.map(({ exited }) => exited)]);
      for (const host of hosts) {
        const failed = await ending(stage, host);
        if (failed !== undefined) return failed;
      }
      return tabs(stage, 1) ?? served(stage, hosts[1] as HostRun);
    },
  },
  {
    name: 'gone',
    title: 'the host ends during the sign-in, then the person answers',
    play: async (stage) => {
      const first = await stage.start({ calls: 0 });
      const [tab] = await stage.browser.waitForOpened(1, TAB_MS).catch(() => []);
      if (tab === undefined) return { fails: 'no tab was opened' };
      const ended = await Promise.race([first.exited, delay(REST_MS, undefined)]);
      if (ended === undefined) first.child.kill('SIGINT');
      await first.exited;
      await delay(1_000);
      const page = await visit(tab.address, { answer: 'allow' }).catch((error) => ({
        status: 0,
        body: String(error),
      }));
      const host = await stage.start({ keepsWaiting: within(PATIENCE_MS) });
      await host.exited;
      if (page.status !== 200) {
        const after = host.wish.isFulfilled ? 'works' : 'fails';
        return { fails: `the tab says ${page.status} ${page.body.slice(0, 80)}; the next start ${after}` };
      }
      return (await ending(stage, host)) ?? tabs(stage, 1) ?? served(stage, host);
    },
  },
  ...slows,
  {
    name: 'withheld',
    title: 'what the host withholds from the bridge',
    play: async (stage) => {
      const env = {
        ...stage.env,
        // No HTTPS_PROXY: hosts would send the model's requests there, too.
        NO_PROXY: '127.0.0.1,localhost',
        NODE_EXTRA_CA_CERTS: join(stage.home.folder, '.Xauthority'),
        MCP_DRAWBRIDGE_AUTH_TIMEOUT: '300',
      };
      const played = await firstStart(stage, 1, env);
      const [bridge] = await stage.recordings();
      const names = new Set(bridge === undefined ? [] : startOf(bridge).names);
      const missing = Object.keys(env).filter((name) => !names.has(name));
      return { ...played, note: missing.length === 0 ? 'nothing' : missing.join(' ') };
    },
  },
  {
    name: 'elsewhere',
    title: 'signed in at a terminal that has its own `XDG_DATA_HOME`',
    play: async (stage) => {
      const env = { ...stage.env, XDG_DATA_HOME: join(stage.home.folder, 'data') };
      const person = stage.answerTab(0);
      await run(process.execPath, [stage.program, 'login', stage.server.url], { env, timeout: 60_000 });
      await person;
      const host = await stage.start({ keepsWaiting: within(PATIENCE_MS) }, env);
      await host.exited;
      return (await ending(stage, host)) ?? tabs(stage, 1) ?? served(stage, host);
    },
  },
  {
    name: 'display',
    title: 'a display that is there and in no variable',
    play: (stage) => {
      const hidden = Object.keys(windows('', ''));
      const env = Object.fromEntries(Object.entries(stage.env).filter(([name]) => !hidden.includes(name)));
      return firstStart(stage, 1, env);
    },
  },
  {
    name: 'end',
    title: 'how the bridge is ended',
    isOpen: true,
    play: async (stage) => {
      const host = await stage.start({ keepsWaiting: within(PATIENCE_MS) });
      const exitedAt = await host.exited;
      const failed = await ending(stage, host);
      const [bridge = []] = await stage.recordings();
      const last = bridge.filter(({ kind }) => kind === 'end' || kind === 'signal' || kind === 'exit');
      const told = last.map((entry) => {
        const what = entry.kind === 'signal' ? entry.name : entry.kind === 'end' ? 'end of stdin' : 'left';
        return `${what} ${((entry.at - exitedAt) / 1000).toFixed(2)}`;
      });
      const closed = stage.server.counters.sessionsClosed === 1 ? 'session closed' : 'session left open';
      return { ...(failed ?? served(stage, host)), note: `${told.join(', ') || 'SIGKILL'} s, ${closed}` };
    },
  },
];

async function firstStart(stage: Stage, seconds: number, env = stage.env): Promise<Played> {
  let answered: Visit | undefined;
  const wouldOpen = within(TAB_MS);
  const person = stage.answerTab(seconds);
  void person.then((done) => {
    answered = done;
  });
  const keepsWaiting = () => {
    if (answered !== undefined) return Date.now() - answered.doneAt < PATIENCE_MS;
    return stage.browser.opened.length > 0 || wouldOpen();
  };
  const host = await stage.start({ keepsWaiting }, env);
  await host.exited;
  const visited = await Promise.race([person, delay(0, undefined)]);
  if (visited === undefined) {
    if (stage.browser.opened.length === 0) return { fails: `no tab was opened; ${host.wish.ending}` };
    const left = (await host.exited) - host.startedAt;
    return { fails: `the host left after ${Math.round(left / 1000)} s; ${host.wish.ending}` };
  }
  if (visited.status !== 200) return { fails: `the tab says ${visited.status}` };
  const failed = (await ending(stage, host)) ?? tabs(stage, 1);
  if (failed !== undefined) return failed;
  const listed = stage.server.requests.entries.find(carries('tools/list'))?.at ?? Number.NaN;
  const alone = (listed - host.startedAt - (visited.doneAt - visited.openedAt)) / 1000;
  return { ...served(stage, host), note: `tools asked for after ${alone.toFixed(2)} s without the person` };
}

/** Why a run of a host, which has exited, is none as it should be: the tool did not answer, or a bridge was left behind. */
async function ending(stage: Stage, host: HostRun): Promise<Played | undefined> {
  await delay(Math.max(0, (await host.exited) + GONE_MS - Date.now()));
  const alive = await stage.bridgesAlive();
  if (alive.length > 0) return { fails: `${alive.length} bridge left behind` };
  if (host.wish.isFulfilled) return undefined;
  const told = await adviceOf(stage);
  if (stage.profile.ignoresListChanged && told !== undefined) return { told };
  return { fails: host.wish.ending };
}

/** What the bridges of this cell said about starting them again. */
async function adviceOf(stage: Stage): Promise<string | undefined> {
  const said = (await stage.recordings()).map((bridge) => textOf(bridge, 'out')).join('\n');
  return WHAT_TO_DO.exec(said)?.[0].trim();
}

function tabs(stage: Stage, wanted: number): Played | undefined {
  const { length } = stage.browser.opened;
  return length === wanted ? undefined : { fails: `${length} tabs in place of ${wanted}` };
}

function served(stage: Stage, host: HostRun, call = 0): Played {
  const seconds = stage.calledAfter(host, call);
  return seconds === undefined ? { fails: 'the server saw no call' } : { seconds };
}

/** True for so long from now. */
function within(ms: number): () => boolean {
  const end = Date.now() + ms;
  return () => Date.now() < end;
}
