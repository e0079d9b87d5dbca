import type { Oddity, OddReply, Place, Scenario } from './scenario.ts';

/** Nothing odd yet: what the scenarios below have in common. */
const PLAIN: Scenario = {
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

function oddly(place: Place, reply: Partial<OddReply>, times = 1): Oddity {
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
};
