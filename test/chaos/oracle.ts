import type { Asked, ChaosHost } from './chaos-host.ts';
import type { OddServer } from './server/odd-server.ts';

/** What must hold whatever a server does. */
export type Broken =
  | 'the process ended'
  | 'an id was not answered'
  | 'an id was answered late'
  | 'an id was answered twice'
  | 'stdout was not pure'
  | 'a call ran twice'
  | 'a call that ran was said not to have run'
  | 'the host’s answer came under another id'
  | 'the server was flooded'
  | 'an honest call was not served'
  | 'the last call before the end was not served'
  | 'the process did not end well'
  /** Nothing was lost, but the program met something that it does not know. */
  | 'an unexpected error';

export interface Violation {
  readonly what: Broken;
  readonly detail: string;
}

/** What a loaded machine may add to the bounds of the design, in milliseconds. */
const MARGIN_MS = 15_000;
/** How long a request may stay unanswered while the server does not hold it: a list's patience, and a call's. */
const LIST_MS = 20_000 + MARGIN_MS;
const CALL_MS = 45_000 + MARGIN_MS;
/** The first message of a host: as long as hosts wait for a server that they do not know. */
const FIRST_MS = 8_000 + MARGIN_MS;

/** The longest that the answer to this may take once nothing holds it up. */
export function boundMs(method: string): number {
  if (method === 'initialize' || method === 'server/discover') return FIRST_MS;
  return method.endsWith('/list') ? LIST_MS : CALL_MS;
}

/** More requests than any of the scenarios has a use for. */
const MAX_REQUESTS = 90;

/** Looks at all that a scenario left behind. `healedAtMs`: when the server began to behave, on the host's clock. */
export function violationsOf(host: ChaosHost, server: OddServer, healedAtMs: number): Violation[] {
  return [
    ...answersOf(host, healedAtMs),
    ...[...new Set(host.faults)].map((detail) => ({ what: 'stdout was not pure' as const, detail })),
    ...runsOf(host, server),
    ...server.unasked.map((id) => ({ what: 'the host’s answer came under another id' as const, detail: id })),
    ...(server.requests.length > MAX_REQUESTS
      ? [{ what: 'the server was flooded' as const, detail: `${server.requests.length} requests` }]
      : []),
    ...unexpectedErrors(host),
  ];
}

function answersOf(host: ChaosHost, healedAtMs: number): Violation[] {
  return [...host.asked.values()].flatMap((asked): Violation[] => {
    const { id, method, answers, cancelledAtMs } = asked;
    const detail = `${id} (${method})`;
    if (answers.length > 1) return [{ what: 'an id was answered twice', detail }];
    if (answers.length === 0) {
      return cancelledAtMs === undefined ? [{ what: 'an id was not answered', detail }] : [];
    }
    return isLate(asked, healedAtMs) ? [{ what: 'an id was answered late', detail }] : [];
  });
}

/** The server may hold a request as long as it is odd; the first message is not held up by that. */
function isLate({ method, atMs, answers: [answer] }: Asked, healedAtMs: number): boolean {
  const isFirst = method === 'initialize' || method === 'server/discover';
  const from = isFirst ? atMs : Math.max(atMs, healedAtMs);
  return (answer?.atMs ?? 0) - from > boundMs(method);
}

function runsOf(host: ChaosHost, { runs }: OddServer): Violation[] {
  const twice = [...runs].filter(([, count]) => count > 1);
  const denied = [...host.asked.values()].filter(
    ({ nonce, answers }) =>
      nonce !== undefined &&
      runs.has(nonce) &&
      answers.some(({ message }) => message.error?.data?.mayHaveRun === false),
  );
  return [
    ...twice.map(([nonce, count]) => ({
      what: 'a call ran twice' as const,
      detail: `${nonce}: ${count} times`,
    })),
    ...denied.map(({ id, answers }) => ({
      what: 'a call that ran was said not to have run' as const,
      detail: `${id}: ${answers[0]?.text.slice(0, 300)}`,
    })),
  ];
}

const STACK = /^\s+at .*:\d+:\d+\)?$/m;
const INTERNAL = -32603;

function unexpectedErrors({ process, asked }: ChaosHost): Violation[] {
  const stack = STACK.exec(process.stderr);
  const internal = [...asked.values()].flatMap(({ answers }) =>
    answers.filter(({ message }) => message.error?.code === INTERNAL),
  );
  const details = [
    ...(stack === null ? [] : [process.stderr.slice(Math.max(0, stack.index - 300), stack.index + 500)]),
    ...internal.map(({ text }) => text.slice(0, 300)),
  ];
  return details.map((detail) => ({ what: 'an unexpected error', detail }));
}
