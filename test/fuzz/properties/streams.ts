import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineSplitter } from '../../../src/host/line-splitter.ts';
import { scanObject } from '../../../src/protocol/json/json-scan.ts';
import { LOOKED_AT_BYTES, lookAtMessage, type Parsed, parseMessage } from '../../../src/protocol/jsonrpc.ts';
import type { MessageId } from '../../../src/protocol/message-id.ts';
import { readEvents, type ServerEvent } from '../../../src/remote/events/event-stream.ts';
import { property } from '../property.ts';
import { hostileText, jsonText, objectText, oneOfJson } from '../texts.ts';

const EVENT_PIECES = [
  'data:',
  'data: ',
  'data',
  'id: 1',
  'id:',
  'event: message',
  'retry: 1500',
  'retry: 1e9',
  ': comment',
  'datax: ',
  '\n',
  '\n',
  '\n\n',
  '\r\n',
  '\r\n\r\n',
  '\r',
  '\r\r',
  ':',
  ' ',
  '\u0000',
  '\ufeff',
  '{"a":1}',
  'é',
  '😀',
  '\u2028',
];
const streamBytes = fc
  .array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...EVENT_PIECES), weight: 9 },
      { arbitrary: hostileText, weight: 1 },
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));
/** A character cut in two, and bytes that are none. */
const anyBytes = fc.oneof(
  { arbitrary: streamBytes, weight: 4 },
  {
    arbitrary: fc
      .tuple(streamBytes, fc.uint8Array({ maxLength: 4 }), streamBytes)
      .map((parts) => Buffer.concat(parts)),
    weight: 1,
  },
);
const cuts = fc.oneof(
  fc.array(fc.nat(1_000), { maxLength: 12 }),
  // Byte by byte.
  fc.constant(Array.from({ length: 1_000 }, (_, at) => at)),
);

function cutAt(bytes: Buffer, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

async function eventsOf(chunks: readonly Uint8Array[]) {
  const events: ServerEvent[] = [];
  const retries: number[] = [];
  async function* body() {
    yield* chunks;
  }
  const options = { maxMessageBytes: 1_000_000, onRetry: (ms: number) => retries.push(ms) };
  for await (const batch of readEvents(body(), options)) events.push(...batch);
  return { events, retries };
}

function linesOf(chunks: readonly Uint8Array[]): string[] {
  const splitter = new LineSplitter(1_000);
  const lines = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
  return lines.map((line) => (line.kind === 'line' ? Buffer.from(line.bytes).toString('hex') : line.kind));
}

const id = fc.oneof(oneOfJson(0, '', 7, 'x', -1.5, null), jsonText);
const messageText = objectText({
  jsonrpc: oneOfJson('2.0', '2.0', '2.0', '1.0'),
  id,
  method: oneOfJson('tools/call', 'a\\u0062', 'x'),
  params: jsonText,
  result: jsonText,
  error: jsonText,
});

/** The same message, too large to be parsed. */
const largeMessage = messageText.map((text) =>
  text.replace(/\}$/, `,"pad":"${'x'.repeat(LOOKED_AT_BYTES)}"}`),
);

function kindOf(parsed: Parsed) {
  const { kind } = parsed;
  switch (kind) {
    case 'batch':
    case 'not-json':
      return { kind };
    case 'not-a-message':
      return { kind, id: parsed.id };
    case 'notification':
      return { kind, method: parsed.method };
    case 'request':
      return { kind, id: parsed.id, method: parsed.method };
    case 'response':
      return { kind, id: parsed.id, failed: parsed.failed };
  }
}

function hasNumberId(kind: object): kind is { readonly id: MessageId } {
  return 'id' in kind && typeof kind.id === 'string' && !kind.id.startsWith('"');
}

const isTwice = (part: string, text: string) => text.indexOf(part) !== text.lastIndexOf(part);

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

export const STREAMS = [
  property(
    'an event stream gives the same events however its bytes are cut',
    fc.tuple(anyBytes, cuts),
    async ([bytes, at]) => {
      assert.deepEqual(await eventsOf(cutAt(bytes, at)), await eventsOf([bytes]));
    },
  ),
  property(
    "a host's lines are the same however their bytes are cut",
    fc.tuple(anyBytes, cuts),
    ([bytes, at]) => {
      assert.deepEqual(linesOf(cutAt(bytes, at)), linesOf([bytes]));
    },
  ),
  property(
    'the scanner finds what JSON.parse finds, and refuses what it refuses',
    fc.oneof(messageText, jsonText),
    (text) => {
      // From an odd place in memory: the scanner reads four bytes at a time.
      const bytes = Buffer.from(` ${text}`).subarray(1);
      const judged = parsed(bytes.toString('utf8'));
      const scanned = scanObject(bytes);
      if (scanned === 'unknown') return;
      assert.equal(scanned === 'not-json', judged === undefined, text);
      if (scanned === 'not-json') return;
      const members = [...scanned].map(([name, [start, end]]) => [
        name,
        JSON.parse(bytes.toString('utf8', start, end)),
      ]);
      const value = new Map(Object.entries(judged?.value ?? {}));
      assert.equal(members.length, value.size);
      for (const [name, member] of members) assert.ok(isSame(member, value.get(name)), `${name} of ${text}`);
    },
    'dear',
  ),
  property(
    'of a large message the same is read as of a small one',
    largeMessage,
    (text) => {
      const bytes = Buffer.from(text);
      const [large, small] = [kindOf(lookAtMessage(bytes)), kindOf(parseMessage(bytes))];
      // Of two ids whose values are the same number once they are read, such as 0 and 1e-999, either is the message's (RFC 8259 §4: names should be unique).
      const areSame = hasNumberId(large) && hasNumberId(small) && Number(large.id) === Number(small.id);
      assert.deepEqual(areSame && isTwice('"id"', text) ? { ...large, id: small.id } : large, small);
    },
    'dear',
  ),
  property(
    'any line is a message, a batch of the bytes it came as, or told apart from both',
    fc.oneof(
      messageText,
      fc.array(messageText, { maxLength: 3 }).map((all) => `[${all.join(' , ')}]`),
    ),
    (text) => {
      const read = parseMessage(Buffer.from(text));
      const judged = parsed(Buffer.from(text).toString('utf8'));
      assert.equal(read.kind === 'not-json', judged === undefined);
      if (read.kind !== 'batch') return;
      const members = read.members.map((member) => JSON.parse(Buffer.from(member).toString('utf8')));
      assert.ok(isSame(members, judged?.value));
      for (const member of read.members) assert.ok(text.includes(Buffer.from(member).toString('utf8')));
    },
    'dear',
  ),
];

/** Without recursion: what is nested deeper than the stack has to be compared too. */
function isSame(one: unknown, other: unknown): boolean {
  const pairs: (readonly [unknown, unknown])[] = [[one, other]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [left, right] = pair;
    if (Object.is(left, right)) continue;
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null)
      return false;
    const [mine, theirs] = [Object.entries(left), Object.entries(right)];
    if (Array.isArray(left) !== Array.isArray(right) || mine.length !== theirs.length) return false;
    for (const [at, [name, value]] of mine.entries()) {
      if (theirs[at]?.[0] !== name) return false;
      pairs.push([value, theirs[at]?.[1]]);
    }
  }
  return true;
}
