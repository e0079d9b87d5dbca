import fc from 'fast-check';
import {
  type Oddity,
  type OddReply,
  type Piece,
  PLACES,
  type Place,
  type Scenario,
  type Step,
} from './scenario.ts';
import { EVENT_PIECES, MESSAGE_PIECES, ODD_RESULT } from './server/pieces.ts';

const { constantFrom, constant, oneof, record, array, nat, boolean, integer } = fc;

/** Beyond 2^53, where numbers collide that are told apart by their text; both kinds; odd spellings. */
const IDS = [
  '0',
  '1',
  '-1',
  '"a"',
  '"1"',
  '""',
  '1.5',
  '9007199254740993',
  '9007199254740992',
  '1e3',
  '123456789012345678901234567890',
  '"\\u00e9 \\ud83d\\ude00"',
  '"__proto__"',
  '"\\"\\\\\\/"',
  '-0',
] as const;

const STATUSES = [
  201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408,
  409, 410, 411, 412, 413, 414, 415, 417, 418, 421, 422, 423, 425, 426, 428, 429, 431, 451, 499, 500, 501,
  502, 503, 504, 505, 507, 511, 520, 522, 524, 529, 599,
];

const TYPES = [
  '',
  'text/html',
  'application/json; charset=utf-16',
  'application/json-seq',
  'TEXT/Event-Stream;x=y',
  'application/octet-stream',
  'json',
  'text/event-stream, application/json',
  ';;;',
  'application/x-ndjson',
];

const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'retry-after': '0' },
  { 'retry-after': '1' },
  { 'retry-after': 'soon' },
  { 'retry-after': '-1' },
  { 'retry-after': '1e3' },
  { 'retry-after': '99999999999999999999' },
  { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' },
  { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
  { location: '/moved' },
  { location: '/mcp' },
  { location: '$OTHER/mcp' },
  { location: 'http://127.0.0.1:1/mcp' },
  { location: 'http://[' },
  { location: 'data:,x' },
  { location: '' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'x-odd' },
  { 'content-length': '3' },
  { 'mcp-session-id': '' },
  { 'mcp-session-id': 'a b, c' },
  { 'mcp-session-id': '\u00e9\u00ff' },
  { 'mcp-session-id': 'x'.repeat(5_000) },
  { 'www-authenticate': 'Bearer' },
  { 'www-authenticate': 'Bearer error="insufficient_scope", scope="more"' },
  { 'www-authenticate': 'Bearer resource_metadata="$ORIGIN/.well-known/oauth-protected-resource"' },
  { 'www-authenticate': ',,, =x "' },
  { 'set-cookie': 'a=b; path=/; =; ;;' },
  { connection: 'close' },
];

const message = oneof(
  { weight: 6, arbitrary: constantFrom(...MESSAGE_PIECES) },
  { weight: 2, arbitrary: nat(16).map((n): Piece => `${ODD_RESULT}${n}`) },
  { weight: 2, arbitrary: constant('answer') },
);
const event = oneof(
  { weight: 2, arbitrary: message },
  { weight: 1, arbitrary: constantFrom(...EVENT_PIECES) },
);
const end = oneof(
  { weight: 8, arbitrary: constant('whole' as const) },
  { weight: 4, arbitrary: constantFrom('half', 'half-reset', 'open', 'drip', 'reset', 'no-http') },
  { weight: 1, arbitrary: constantFrom('half-hang', 'hang') },
);
const afterMs = oneof(
  { weight: 8, arbitrary: constant(undefined) },
  { weight: 1, arbitrary: constantFrom(30, 300, 1_000, 2_500) },
);

/** The headers beside the body: none most of the time. */
const rest = record({
  end,
  afterMs,
  type: oneof(
    { weight: 8, arbitrary: constant(undefined) },
    { weight: 1, arbitrary: constantFrom(...TYPES) },
  ),
  headers: oneof(
    { weight: 8, arbitrary: constant(undefined) },
    { weight: 2, arbitrary: constantFrom(...HEADERS) },
  ),
});

const status = oneof(
  { weight: 4, arbitrary: constant(200) },
  { weight: 3, arbitrary: constantFrom(...STATUSES) },
  { weight: 1, arbitrary: constantFrom(400, 401, 404, 503, 202) },
);
const body = oneof(
  record({ framing: constant('json' as const), pieces: array(message, { minLength: 1, maxLength: 2 }) }),
  record({ framing: constant('json' as const), pieces: message.map((one) => [one]) }),
  record({ framing: constant('events' as const), pieces: array(event, { maxLength: 4 }) }),
  record({
    framing: constant('text' as const),
    pieces: constantFrom<Piece[]>([], ['html'], ['session-words']),
  }),
);
const reply: fc.Arbitrary<OddReply> = fc
  .tuple(status, body, rest)
  .map(([code, { framing, pieces }, { type, headers, afterMs: pause, end: how }]) => ({
    status: code,
    framing,
    pieces,
    end: how,
    ...(type === undefined ? {} : { type }),
    ...(headers === undefined ? {} : { headers }),
    ...(pause === undefined ? {} : { afterMs: pause }),
  }));

/** How often each place is chosen: where most is decided, most is tried. */
const WEIGHTS: Readonly<Record<Place, number>> = {
  initialize: 5,
  initialized: 2,
  discover: 3,
  list: 4,
  call: 6,
  'other-request': 2,
  get: 4,
  notification: 1,
  'host-answer': 2,
  listen: 1,
  delete: 1,
  'well-known': 1,
};

function oddityAt(places: readonly Place[]): fc.Arbitrary<Oddity> {
  return record({
    place: oneof(...places.map((place) => ({ weight: WEIGHTS[place], arbitrary: constant(place) }))),
    skip: oneof({ weight: 4, arbitrary: constant(0) }, { weight: 1, arbitrary: integer({ min: 1, max: 2 }) }),
    times: oneof(
      { weight: 3, arbitrary: constant(1) },
      { weight: 1, arbitrary: constantFrom(2, 3) },
      { weight: 2, arbitrary: constant(1_000) },
    ),
    reply,
    aside: oneof(
      { weight: 3, arbitrary: constant([]) },
      // A cut event swallows the next one, here the answer to another request: nobody could answer that.
      {
        weight: 1,
        arbitrary: array(
          event.filter((piece) => piece !== 'cut-event'),
          { maxLength: 3 },
        ),
      },
    ),
  });
}

const METHODS = [
  'tools/list',
  'tools/list',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/get',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'x/unknown',
  'subscriptions/listen',
  'server/discover',
];
const step: fc.Arbitrary<Step> = oneof(
  {
    weight: 6,
    arbitrary: record({ do: constant('call' as const), tool: constantFrom('echo', 'echo', 'ask') }),
  },
  { weight: 4, arbitrary: record({ do: constant('request' as const), method: constantFrom(...METHODS) }) },
  {
    weight: 1,
    arbitrary: record({
      do: constant('notify' as const),
      method: constantFrom('notifications/roots/list_changed', 'notifications/x'),
    }),
  },
  { weight: 1, arbitrary: record({ do: constant('cancel' as const), back: nat(2) }) },
  { weight: 3, arbitrary: constant({ do: 'settle' as const }) },
  { weight: 1, arbitrary: constant({ do: 'server-leaves' as const }) },
);

/** Which scenarios are wanted: words of `wordsOf`, of which each has to be there. */
export function scenarios(words: readonly string[] = []): fc.Arbitrary<Scenario> {
  const has = (word: string) => words.includes(word);
  const eras = (side: string) =>
    (['legacy', 'modern'] as const).filter(
      (era) => !has(`${era === 'legacy' ? 'modern' : 'legacy'}-${side}`),
    );
  const wires = (['json', 'stream', 'sse'] as const).filter(has);
  const places = PLACES.filter(has);
  return fc
    .record({
      host: constantFrom(...eras('host')),
      server: constantFrom(...eras('server')),
      wire: constantFrom(...(wires.length > 0 ? wires : (['json', 'stream', 'sse'] as const))),
      session: boolean(),
      listens: boolean(),
      eager: oneof({ weight: 4, arbitrary: constant(false) }, { weight: 1, arbitrary: constant(true) }),
      discovers: boolean(),
      earlier: oneof(
        { weight: 5, arbitrary: constant(undefined) },
        {
          weight: 1,
          arbitrary: constantFrom(
            { server: 'legacy' as const, wire: 'json' as const },
            { server: 'legacy' as const, wire: 'sse' as const },
            { server: 'modern' as const, wire: 'stream' as const },
          ),
        },
      ),
      args: oneof(
        { weight: 5, arbitrary: constant(undefined) },
        { weight: 1, arbitrary: constantFrom(['--debug'], ['--wait'], ['--ping-interval', '1']) },
      ),
      hostAnswers: oneof(
        { weight: 6, arbitrary: constant('well' as const) },
        { weight: 1, arbitrary: constantFrom('with-error' as const, 'late' as const) },
      ),
      questionId: constantFrom('"question-1"', '9007199254740993', '0', '1.5'),
      ids: oneof(
        { weight: 1, arbitrary: constant([]) },
        { weight: 1, arbitrary: fc.shuffledSubarray([...IDS]) },
      ),
      oddities: array(oddityAt(places.length > 0 ? places : PLACES), { minLength: 1, maxLength: 3 }),
      steps: array(step, { minLength: 1, maxLength: 6 }),
      release: constantFrom('answer' as const, 'reset' as const),
    })
    .map(({ earlier, args, ...others }) =>
      asItCanBe({
        ...others,
        ...(earlier === undefined ? {} : { earlier }),
        ...(args === undefined ? {} : { args }),
      }),
    );
}

/** What leads a client to the well-known documents. */
const CHALLENGE: Oddity = {
  place: 'call',
  skip: 0,
  times: 1,
  aside: [],
  reply: {
    status: 401,
    framing: 'text',
    pieces: [],
    end: 'whole',
    headers: {
      'www-authenticate': 'Bearer resource_metadata="$ORIGIN/.well-known/oauth-protected-resource"',
    },
  },
};

/** No modern server speaks HTTP+SSE; a sign-in is looked for only where the server asks for one. */
function asItCanBe(given: Scenario): Scenario {
  const { oddities, steps } = given;
  const signsIn = oddities.some(({ place }) => place === 'well-known');
  const scenario: Scenario = signsIn
    ? { ...given, oddities: [CHALLENGE, ...oddities], steps: [{ do: 'call', tool: 'echo' }, ...steps] }
    : given;
  return scenario.server === 'modern' && scenario.wire === 'sse'
    ? { ...scenario, server: 'legacy' }
    : scenario;
}
