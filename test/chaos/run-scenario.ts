import { createTemporaryHome } from '../peers/processes/home.ts';
import { type Asked, ChaosHost, SUBSCRIPTION } from './chaos-host.ts';
import { boundMs, type Violation, violationsOf } from './oracle.ts';
import type { Scenario, Step } from './scenario.ts';
import { OddServer } from './server/odd-server.ts';

export interface Outcome {
  readonly violations: readonly Violation[];
  /** What host and server said, for people. */
  readonly report: string;
}

/** A pause in which most answers come; what a server holds is not waited for longer. */
const SETTLE_MS = 1_200;
/** An honest call is tried so often: the first may find a session or a connection that broke with the odd time. */
const HONEST_CALLS = 2;
const END_MS = 15_000;
/** Nobody comes: a sign-in ends by itself. */
const SIGN_IN_SECONDS = 2;

/** One scenario with a bridge of its own, from its start to its end; the built program, unless another is given. */
export async function runScenario(scenario: Scenario, program?: string): Promise<Outcome> {
  await using home = await createTemporaryHome();
  const port = scenario.earlier === undefined ? 0 : await remember(scenario, scenario.earlier, home.env());
  await using server = await OddServer.start(scenario, port);
  await using host = new ChaosHost(argsFor(server, scenario), home.env(), scenario, program);
  const opened = await open(host, scenario);
  await runSteps(host, server, scenario);
  await host.until(() => host.waiting.length === 0, SETTLE_MS);
  await server.heal();
  const healedAtMs = host.atMs;
  host.holdNothingUp();
  for (const asked of host.waiting) await answered(host, asked);
  const honest = host.isGone ? [] : await honestCalls(host, server, scenario, opened);
  const died = host.isGone ? await host.process.exited : undefined;
  const isUsable = honest.length === 0 && !server.misled && !server.challenged;
  const ending = died === undefined ? await end(host, isUsable) : [];
  const violations: Violation[] = [
    ...(died === undefined ? [] : [{ what: 'the process ended' as const, detail: JSON.stringify(died) }]),
    ...violationsOf(host, server, healedAtMs),
    ...honest,
    ...ending,
  ];
  const report = [
    ...host.transcript,
    '',
    'The server saw:',
    ...server.requests.slice(0, 100),
    '',
    'stderr:',
    host.process.stderr.slice(0, 4_000),
  ].join('\n');
  return { violations, report };
}

function argsFor({ url }: OddServer, { args = [] }: Scenario): string[] {
  return [url, '--interactive', '--no-browser', '--auth-timeout', String(SIGN_IN_SECONDS), ...args];
}

/** A bridge that was here before, when something else stood at the address; the port of that. */
async function remember(
  scenario: Scenario,
  earlier: Pick<Scenario, 'server' | 'wire'>,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const before: Scenario = { ...scenario, ...earlier, oddities: [], ids: [], eager: false };
  await using server = await OddServer.start(before);
  await using host = new ChaosHost(argsFor(server, before), env, before);
  await open(host, before);
  await answered(host, host.request('tools/list'));
  host.process.endStdin();
  await host.process.closed;
  return server.port;
}

/** Undefined where the host of this era opens nothing. */
async function open(host: ChaosHost, scenario: Scenario): Promise<Asked | undefined> {
  if (scenario.host === 'modern' && !scenario.discovers) return undefined;
  const asked = scenario.host === 'modern' ? host.request('server/discover') : host.initialize();
  if (!scenario.eager) await answered(host, asked);
  if (scenario.host === 'legacy') host.initialized();
  return asked;
}

async function runSteps(host: ChaosHost, server: OddServer, { steps }: Scenario): Promise<void> {
  const sent: Asked[] = [];
  for (const [at, step] of steps.entries()) {
    if (step.do === 'settle') await host.until(() => host.waiting.length === 0, SETTLE_MS);
    else if (step.do === 'server-leaves') await server.leave();
    else runStep(host, step, at, sent);
  }
}

function runStep(
  host: ChaosHost,
  step: Exclude<Step, { do: 'settle' | 'server-leaves' }>,
  at: number,
  sent: Asked[],
): void {
  switch (step.do) {
    case 'call':
      return void sent.push(host.call(step.tool, `n${at}`));
    case 'request':
      return void sent.push(host.request(step.method, paramsFor(step.method)));
    case 'notify':
      return host.notify(step.method);
    case 'cancel': {
      const asked = sent.at(-1 - step.back);
      if (asked !== undefined && asked.answers.length === 0) host.cancel(asked);
    }
  }
}

function paramsFor(method: string): object {
  if (method === 'logging/setLevel') return { level: 'info' };
  if (method.startsWith('resources/') && !method.endsWith('list')) return { uri: 'odd://one' };
  if (method === SUBSCRIPTION) return { notifications: { toolsListChanged: true } };
  return method === 'prompts/get' ? { name: 'greet' } : {};
}

function answered(host: ChaosHost, asked: Asked): Promise<boolean> {
  return host.until(() => asked.answers.length > 0, boundMs(asked.method));
}

/** The server behaves again: whatever was before, a call is served. */
async function honestCalls(
  host: ChaosHost,
  server: OddServer,
  scenario: Scenario,
  opened: Asked | undefined,
): Promise<Violation[]> {
  let initialized = opened;
  const said: string[] = [];
  for (let attempt = 1; attempt <= HONEST_CALLS; attempt++) {
    if (scenario.host === 'legacy' && initialized?.answers[0]?.message.error !== undefined) {
      initialized = host.initialize();
      await answered(host, initialized);
      host.initialized();
    }
    const call = host.call('echo', `honest-${attempt}`);
    await answered(host, call);
    const text = call.answers[0]?.text ?? 'nothing';
    if (text.includes(`"text":"honest-${attempt}"`)) return [];
    said.push(text.slice(0, 300));
  }
  if (server.misled || server.challenged) return [];
  return [{ what: 'an honest call was not served', detail: said.join(' | ') }];
}

/** The end of stdin, right after one more call, which is served all the same. */
async function end(host: ChaosHost, isUsable: boolean): Promise<Violation[]> {
  const last = isUsable ? host.call('echo', 'last') : undefined;
  host.process.endStdin();
  const timer = new AbortController();
  const late = new Promise<undefined>((resolve) => {
    const timeout = setTimeout(() => resolve(undefined), END_MS);
    timer.signal.addEventListener('abort', () => clearTimeout(timeout));
  });
  const exit = await Promise.race([host.process.closed, late]);
  timer.abort();
  const isServed = last === undefined || last.answers[0]?.text.includes('"text":"last"') === true;
  if (exit?.code === 0 && isServed) return [];
  if (!isServed) {
    const said = last.answers[0]?.text.slice(0, 300) ?? 'nothing';
    return [{ what: 'the last call before the end was not served', detail: said }];
  }
  return [{ what: 'the process did not end well', detail: JSON.stringify(exit ?? 'still there') }];
}
