/** The subjects of a run, by the names that the table shows. */
/** Undici's `request`: the least that a call can cost. */
export const DIRECT = 'direct';
/** Undici's `fetch`: what hosts with a client of the official SDK's pay for a call of their own. */
export const FETCH = 'fetch';
export const BRIDGE = 'drawbridge';
export const OTHER = 'other';

/** A figure as the table has it. */
export interface Row {
  readonly name: string;
  readonly unit: 'ms' | 'µs' | 'MB' | '/s' | 'MB/s' | 's' | 'kB' | '';
  readonly better: 'less' | 'more';
}

/** What a figure has to keep to, as a ratio to another in the same run, or on its own. */
export interface Target {
  readonly name: string;
  readonly bound: number;
  readonly is: 'at most' | 'at least';
  /** What it is measured against; without it the figure itself. */
  readonly against?: { readonly subject: string; readonly name: string };
  /** Added to what it is measured against, in the figure's unit, before the ratio is taken. */
  readonly allowance?: number;
}

const less = (name: string, unit: Row['unit']): Row => ({ name, unit, better: 'less' });
const more = (name: string, unit: Row['unit']): Row => ({ name, unit, better: 'more' });

const largeRows = [1, 32, 256].flatMap((size) =>
  ['json', 'sse', 'arguments'].flatMap((way) => [
    more(`${size} MB ${way}`, 'MB/s'),
    less(`peak ${size} MB ${way}`, 'MB'),
  ]),
);

export const rows: readonly Row[] = [
  less('bare Node', 'ms'),
  less('start, cold', 'ms'),
  less('start, warm', 'ms'),
  less('start, credential', 'ms'),
  less('start, shared store', 'ms'),
  less('exit', 'ms'),
  less('cancellation at the server', 'ms'),
  less('first call after sleep', 'ms'),
  less('exit after SIGTERM, a call under way', 'ms'),
  less('exit after EPIPE', 'ms'),
  less('memory at rest', 'MB'),
  less('memory at rest, shared store', 'MB'),
  less('engine operations in 1,000 calls', ''),
  less('memory after load', 'MB'),
  less('memory at peak', 'MB'),
  less('call p50 json', 'µs'),
  less('call p99 json', 'µs'),
  less('call p50 sse', 'µs'),
  less('call p99 sse', 'µs'),
  more('calls/s at 1', '/s'),
  more('calls/s at 32', '/s'),
  more('calls/s at 256', '/s'),
  less('cpu per 10k calls', 's'),
  more('notifications/s', '/s'),
  less('notifications lost', ''),
  ...largeRows,
  less('package, packed', 'kB'),
  less('package, unpacked', 'kB'),
  less('packages installed', ''),
  less('npx from a cold cache', 'ms'),
  less('start, npx', 'ms'),
  less('memory of npx', 'MB'),
];

const to = (subject: string, name: string) => ({ against: { subject, name } });

/** Of the issue; a row of the other bridge only counts where there is one. */
export const targets: readonly Target[] = [
  { name: 'start, credential', is: 'at most', bound: 0.4, ...to(OTHER, 'start, warm') },
  { name: 'start, credential', is: 'at most', bound: 1, ...to(BRIDGE, 'bare Node'), allowance: 50 },
  // Without a shared store nothing changes; with one, a question to the engine at the start and the client library.
  { name: 'start, shared store', is: 'at most', bound: 1, ...to(BRIDGE, 'start, credential'), allowance: 15 },
  {
    name: 'memory at rest, shared store',
    is: 'at most',
    bound: 1,
    ...to(BRIDGE, 'memory at rest'),
    allowance: 3,
  },
  { name: 'engine operations in 1,000 calls', is: 'at most', bound: 0 },
  { name: 'cancellation at the server', is: 'at most', bound: 100 },
  { name: 'first call after sleep', is: 'at most', bound: 5_000 },
  { name: 'exit after SIGTERM, a call under way', is: 'at most', bound: 2_000 },
  { name: 'exit after EPIPE', is: 'at most', bound: 1_000 },
  { name: 'memory at rest', is: 'at most', bound: 0.7, ...to(OTHER, 'memory at rest') },
  { name: 'memory after load', is: 'at most', bound: 0.45, ...to(OTHER, 'memory after load') },
  { name: 'call p50 json', is: 'at most', bound: 1.5, ...to(DIRECT, 'call p50 json') },
  { name: 'call p50 sse', is: 'at most', bound: 1.7, ...to(DIRECT, 'call p50 sse') },
  { name: 'calls/s at 32', is: 'at least', bound: 0.8, ...to(DIRECT, 'calls/s at 32') },
  { name: 'notifications/s', is: 'at least', bound: 0.6, ...to(DIRECT, 'notifications/s') },
  { name: 'notifications lost', is: 'at most', bound: 0 },
  { name: '32 MB json', is: 'at least', bound: 0.7, ...to(DIRECT, '32 MB json') },
  { name: '32 MB sse', is: 'at least', bound: 0.6, ...to(DIRECT, '32 MB sse') },
  // Three times the message, above what the process took before it.
  { name: 'peak 32 MB json', is: 'at most', bound: 96 },
  { name: 'peak 32 MB sse', is: 'at most', bound: 96 },
  { name: 'package, packed', is: 'at most', bound: 450 },
  { name: 'packages installed', is: 'at most', bound: 1 },
];
