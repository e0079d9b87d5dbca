export type Era = 'legacy' | 'modern';

/** How a well-behaved answer travels: as a JSON body, as an event stream (both Streamable HTTP), or over HTTP+SSE. */
export type Wire = 'json' | 'stream' | 'sse';

/** The kinds of request at which a server can behave oddly. */
export const PLACES = [
  'initialize',
  'initialized',
  'discover',
  'list',
  'call',
  'other-request',
  'notification',
  'host-answer',
  'get',
  'listen',
  'delete',
  'well-known',
] as const;
export type Place = (typeof PLACES)[number];

/** One part of a body or one event of a stream: a name from `pieces.ts`, some of them with a number. */
export type Piece = string;

/** How a response ends. */
export const ENDS = [
  'whole',
  /** In small pieces. */
  'drip',
  /** Half of the body, then a regular end. */
  'half',
  /** Half of the body, then a reset. */
  'half-reset',
  /** Half of the body, and no more until the odd time is over. */
  'half-hang',
  /** The whole body, and the response stays open. */
  'open',
  /** No head until the odd time is over. */
  'hang',
  /** A reset in place of a head. */
  'reset',
  /** Something that is not HTTP. */
  'no-http',
] as const;
export type End = (typeof ENDS)[number];

export interface OddReply {
  readonly status: number;
  readonly framing: 'json' | 'events' | 'text';
  /** Where it differs from what the framing has; an empty one is left out. */
  readonly type?: string;
  /** `$ORIGIN` and `$OTHER` stand for the server's own origin and another. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly pieces: readonly Piece[];
  readonly end: End;
  readonly afterMs?: number;
}

export interface Oddity {
  readonly place: Place;
  /** How many requests at this place are served well before. */
  readonly skip: number;
  readonly times: number;
  readonly reply: OddReply;
  /** What goes out over the server's own stream meanwhile (the one stream of HTTP+SSE). */
  readonly aside: readonly Piece[];
}

export type Step =
  | { readonly do: 'call'; readonly tool: 'echo' | 'ask' }
  | { readonly do: 'request'; readonly method: string }
  | { readonly do: 'notify'; readonly method: string }
  /** Cancels the request that was sent so many before. */
  | { readonly do: 'cancel'; readonly back: number }
  /** Until all that was asked is answered, or for a moment. */
  | { readonly do: 'settle' }
  /** The server cannot be reached until the odd time is over. */
  | { readonly do: 'server-leaves' };

/** A host, a server and what they do: all that it takes to see the same thing again. */
export interface Scenario {
  readonly host: Era;
  readonly server: Era;
  readonly wire: Wire;
  /** A legacy server gives session ids. */
  readonly session: boolean;
  /** A legacy server answers GET with a stream. */
  readonly listens: boolean;
  /** The host does not wait for the answer to its first message. */
  readonly eager: boolean;
  /** What stood at this address when the bridge was there last, and is remembered. */
  readonly earlier?: { readonly server: Era; readonly wire: Wire };
  /** More arguments of the program. */
  readonly args?: readonly string[];
  /** A modern host begins with `server/discover`. */
  readonly discovers: boolean;
  readonly hostAnswers: 'well' | 'with-error' | 'late';
  /** The text of the id of the server's first question. */
  readonly questionId: string;
  /** The texts of the host's first ids; later ones are ordinary. */
  readonly ids: readonly string[];
  readonly oddities: readonly Oddity[];
  readonly steps: readonly Step[];
  /** What becomes of hung responses at the end of the odd time. */
  readonly release: 'answer' | 'reset';
}

/** The cell of the matrix and the places, by the words that `--only` takes. */
export function wordsOf({ host, server, wire, oddities }: Scenario): readonly string[] {
  return [`${host}-host`, `${server}-server`, wire, ...oddities.map(({ place }) => place)];
}
