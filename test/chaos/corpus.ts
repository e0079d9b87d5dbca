import type { Oddity, OddReply, Place, Scenario } from './scenario.ts';

/** Nothing odd yet: what the scenarios below have in common. */
export const PLAIN: Scenario = {
  host: 'legacy',
  server: 'legacy',
  wire: 'stream',
  session: true,
  listens: true,
  eager: false,
  discovers: true,
  hostAnswers: 'well',
  questionId: '"question-1"',
  ids: [],
  oddities: [],
  steps: [{ do: 'call', tool: 'echo' }],
  release: 'reset',
};

export function oddly(place: Place, reply: Partial<OddReply>, times = 1): Oddity {
  const whole: OddReply = { status: 200, framing: 'json', pieces: ['answer'], end: 'whole', ...reply };
  return { place, skip: 0, times, aside: [], reply: whole };
}

/** What was found once, as small as it could be made: each of these broke something. */
export const CORPUS: Readonly<Record<string, Scenario>> = {
  'a call is answered while it waits for input that does not come, over the one stream of HTTP+SSE': {
    ...PLAIN,
    host: 'modern',
    wire: 'sse',
    hostAnswers: 'late',
    steps: [{ do: 'call', tool: 'ask' }],
  },
  'a modern server answers server/discover with an empty stream': {
    ...PLAIN,
    host: 'modern',
    server: 'modern',
    oddities: [oddly('discover', { framing: 'events', pieces: [] })],
  },
  'a modern server answers server/discover with 400 and a page': {
    ...PLAIN,
    host: 'modern',
    server: 'modern',
    oddities: [oddly('discover', { status: 400, framing: 'text', pieces: ['html'] })],
  },
  'a modern server accepts a call of a legacy host and never answers it': {
    ...PLAIN,
    server: 'modern',
    oddities: [oddly('call', { status: 202, framing: 'text', pieces: [] })],
  },
  'a call is answered with status 200 and nothing, while the stream of the server is open': {
    ...PLAIN,
    oddities: [oddly('call', { framing: 'text', pieces: [] })],
  },
  'a page with status 200 comes to no end': {
    ...PLAIN,
    oddities: [oddly('call', { framing: 'text', pieces: ['html'], end: 'open' })],
  },
  'a call is refused with 404 under its own id': {
    ...PLAIN,
    host: 'modern',
    wire: 'sse',
    oddities: [oddly('call', { status: 404 })],
  },
  'a call with a status that nobody has heard of': {
    ...PLAIN,
    oddities: [oddly('call', { status: 599, framing: 'text', pieces: ['html'] })],
  },
  'two ids that are one number to a parser': {
    ...PLAIN,
    host: 'modern',
    wire: 'stream',
    ids: ['0', '9007199254740993', '9007199254740992'],
    steps: [
      { do: 'call', tool: 'echo' },
      { do: 'request', method: 'tools/list' },
    ],
  },
  'what is remembered as a modern server is one of HTTP+SSE now': {
    ...{ ...PLAIN, host: 'modern', wire: 'sse', discovers: false },
    earlier: { server: 'modern', wire: 'stream' },
  },
  'what is remembered as a modern server is a legacy one now, which insists on a session': {
    ...{ ...PLAIN, host: 'modern', discovers: false },
    earlier: { server: 'modern', wire: 'stream' },
  },
  'what is remembered as a modern server is a legacy one now, which answers what it does not know with a page':
    {
      ...{ ...PLAIN, earlier: { server: 'modern', wire: 'stream' } },
      oddities: [oddly('discover', { framing: 'text', pieces: ['html'] }, 1_000)],
    },
  'what is remembered as a legacy server is a modern one now': {
    ...{ ...PLAIN, host: 'modern', server: 'modern', discovers: false },
    earlier: { server: 'legacy', wire: 'json' },
  },
  'the server is away while calls are made': {
    ...PLAIN,
    steps: [
      { do: 'call', tool: 'echo' },
      { do: 'server-leaves' },
      { do: 'call', tool: 'echo' },
      { do: 'request', method: 'tools/list' },
    ],
  },
  'bytes that are not UTF-8, in an answer of 100 KB and in a notification': {
    ...{ ...PLAIN, wire: 'json' },
    oddities: [{ ...oddly('call', { pieces: ['not-utf8-long'] }), aside: ['not-utf8-log'] }],
  },
  'an event that is no message before the answer to initialize': {
    ...PLAIN,
    oddities: [oddly('initialize', { framing: 'events', pieces: ['named-ping', 'scalar', 'answer'] })],
  },
  'the same over HTTP+SSE': {
    ...{ ...PLAIN, wire: 'sse' },
    oddities: [
      { ...oddly('initialize', { status: 202, framing: 'text', pieces: [] }), aside: ['scalar', 'answer'] },
    ],
  },
  'named events and nonsense before the answer to a call': {
    ...PLAIN,
    oddities: [oddly('call', { framing: 'events', pieces: ['named-text', 'nonsense', 'answer'] })],
  },
  'nonsense on the stream of the server': {
    ...PLAIN,
    oddities: [oddly('get', { framing: 'events', pieces: ['nonsense', 'scalar', 'log'], end: 'open' })],
  },
  'half of an answer where eras are translated up': {
    ...{ ...PLAIN, server: 'modern', wire: 'json' },
    oddities: [oddly('call', { pieces: ['truncated'] })],
    steps: [
      { do: 'call', tool: 'echo' },
      { do: 'request', method: 'tools/list' },
    ],
  },
  'half of an answer where eras are translated down': {
    ...{ ...PLAIN, host: 'modern', wire: 'json' },
    oddities: [oddly('call', { pieces: ['truncated'] })],
  },
  'an answer to server/discover that is 100,000 deep': {
    ...{ ...PLAIN, server: 'modern', wire: 'json' },
    oddities: [oddly('discover', { pieces: ['deep-member'] })],
  },
  'a list of tools that is 100,000 deep': {
    ...{ ...PLAIN, host: 'modern', server: 'modern' },
    oddities: [oddly('list', { framing: 'events', pieces: ['odd-result:6'] })],
    steps: [{ do: 'request', method: 'tools/list' }],
  },
  'an answer to initialize that is 100,000 deep, for a host of the other era': {
    ...{ ...PLAIN, host: 'modern', wire: 'json' },
    oddities: [oddly('initialize', { pieces: ['odd-result:15'] })],
  },
  'a call fails with 400 and words about a session under its own id': {
    ...PLAIN,
    oddities: [oddly('call', { status: 400, pieces: ['error-session'] })],
  },
  'a call fails with 404 and the code of a lost session under its own id': {
    ...PLAIN,
    oddities: [oddly('call', { status: 404, pieces: ['error-32001'] })],
  },
  'a call is redirected with 302': {
    ...PLAIN,
    oddities: [oddly('call', { status: 302, framing: 'text', pieces: [], headers: { location: '/moved' } })],
  },
  'a server with sessions answers each GET with 404': {
    ...PLAIN,
    oddities: [oddly('get', { status: 404, framing: 'text', pieces: [] }, 1_000)],
  },
  'the body of the answer to initialize hangs': {
    ...PLAIN,
    oddities: [oddly('initialize', { end: 'half-hang' })],
  },
  'notifications/initialized hangs': {
    ...PLAIN,
    oddities: [oddly('initialized', { end: 'hang' })],
  },
};
