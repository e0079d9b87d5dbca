import { createTemporaryHome } from '../peers/processes/home.ts';
import { hasRedis } from '../peers/processes/tools.ts';
import { Collection, type Figures } from './figures.ts';
import type { Flags } from './flags.ts';
import type { Subject } from './links/link.ts';
import { measurePackage } from './measures/package.ts';
import { GROWTH, INSTANCES, OTHERS_LARGEST_BYTES, QUICK, WHOLE } from './plan.ts';
import { BRIDGE, DIRECT, FETCH, OTHER } from './rows.ts';
import type { Stage } from './stage.ts';

type Say = (text: string) => void;

/** Everything but how cost grows: subject after subject within each repeat, so that what drifts drifts for all. */
export async function measure(stage: Stage, flags: Flags, say: Say): Promise<Collection> {
  const collection = new Collection();
  const plan = flags.quick ? QUICK : WHOLE;
  const wants = (group: string) => flags.only.length === 0 || flags.only.includes(group);
  const subjects: [string, Subject][] = [
    [BRIDGE, stage.signedIn],
    [DIRECT, stage.direct],
    [FETCH, stage.fetch],
    ...(flags.vs === undefined ? [] : [[OTHER, stage.other(flags.vs)] as [string, Subject]]),
  ];
  const attempt = async (name: string, what: string, work: () => Promise<Figures>) => {
    try {
      collection.add(name, await work());
    } catch (error) {
      // What another bridge cannot do is a hole in its column; what this one cannot do ends the bench.
      if (name !== OTHER) throw error;
      say(`${name}: ${what}: ${String(error).slice(0, 300)}`);
    }
  };
  for (let repeat = 1; repeat <= flags.repeats; repeat++) {
    say(`repeat ${repeat} of ${flags.repeats}`);
    if (wants('start')) await measureStarts(stage, flags, attempt);
    if (wants('store') && hasRedis()) await measureStore(stage, attempt);
    if (wants('ends')) await attempt(BRIDGE, 'ends', () => stage.run(stage.open(), { kind: 'ends' }));
    for (const [name, subject] of subjects) {
      if (wants('calls')) await attempt(name, 'calls', () => stage.run(subject, plan.calls));
      if (wants('notifications')) {
        await attempt(name, 'notifications', () => stage.run(subject, plan.notifications));
      }
    }
    for (const work of wants('large') ? plan.large : []) {
      for (const [name, subject] of subjects) {
        if (name === OTHER && work.bytes > OTHERS_LARGEST_BYTES) continue;
        await attempt(name, `${work.bytes} ${work.way}`, () => stage.run(subject, work));
      }
    }
  }
  if (wants('package')) {
    for (const figures of await measurePackage(stage.signedIn, flags.repeats))
      collection.add(BRIDGE, figures);
  }
  return collection;
}

type Attempt = (name: string, what: string, work: () => Promise<Figures>) => Promise<void>;

async function measureStarts(stage: Stage, { program, vs }: Flags, attempt: Attempt): Promise<void> {
  const [node] = program as [string];
  await attempt(BRIDGE, 'bare start', () => stage.run(stage.direct, { kind: 'bare-start', node }));
  const started = async (subject: Subject, name: string) => {
    const { start, exit } = await stage.run(subject, { kind: 'start' });
    return { [name]: start as number, exit: exit as number };
  };
  await using unused = await createTemporaryHome();
  await attempt(BRIDGE, 'start', () => started(stage.open(unused), 'start, cold'));
  await attempt(BRIDGE, 'start', () => started(stage.open(unused), 'start, warm'));
  await attempt(BRIDGE, 'start', () => started(stage.signedIn, 'start, credential'));
  if (vs !== undefined) await attempt(OTHER, 'start', () => started(stage.other(vs), 'start, warm'));
}

/** What a store that machines share costs beside a file, in turn. */
async function measureStore(stage: Stage, attempt: Attempt): Promise<void> {
  const { shared, subject } = await stage.shareLogin();
  await using _engine = shared;
  const measured = async (of: Subject, suffix: string, engine?: number) => {
    const { start } = await stage.run(of, { kind: 'start' });
    const rest = await stage.run(of, {
      kind: 'rest',
      calls: CALLS_OF_STORE,
      ...(engine === undefined ? {} : { engine }),
    });
    return {
      [suffix === '' ? 'start, credential' : `start${suffix}`]: start as number,
      [`memory at rest${suffix}`]: rest.memory as number,
      ...(engine === undefined ? {} : { 'engine operations in 1,000 calls': rest.operations as number }),
    };
  };
  await attempt(BRIDGE, 'store', () => measured(stage.signedIn, ''));
  await attempt(BRIDGE, 'store', () => measured(subject, ', shared store', shared.port));
}

const CALLS_OF_STORE = 1_000;

export interface Growth {
  readonly title: string;
  readonly subjects: readonly string[];
  readonly collection: Collection;
}

const TITLES = {
  sizes: 'bytes of an answer → ms',
  'in-flight': 'calls in flight → calls/s',
  session: 'calls in one session → MB',
} as const;

/** How cost grows, each once. */
export async function measureGrowth(stage: Stage, { only }: Flags, say: Say): Promise<Growth[]> {
  const wants = (group: string) => only.length === 0 || only.includes(group);
  const growths: Growth[] = [];
  for (const [name, work] of Object.entries(GROWTH)) {
    if (!wants(name)) continue;
    say(name);
    const collection = new Collection();
    collection.add(BRIDGE, await stage.run(stage.signedIn, work));
    const subjects = name === 'session' ? [BRIDGE] : [BRIDGE, DIRECT];
    if (name !== 'session') collection.add(DIRECT, await stage.run(stage.direct, work));
    growths.push({ title: TITLES[name as keyof typeof TITLES], subjects, collection });
  }
  if (wants('instances')) {
    const collection = new Collection();
    for (const count of INSTANCES) {
      say(`${count} instances`);
      collection.add(BRIDGE, await stage.run(stage.signedIn, { kind: 'instances', count }));
    }
    growths.push({ title: 'instances on one credential (ms, MB, calls/s)', subjects: [BRIDGE], collection });
  }
  return growths;
}
