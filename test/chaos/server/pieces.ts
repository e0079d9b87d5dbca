import type { Piece } from '../scenario.ts';

/** What a piece is made from: the request at hand, as the server sees it. */
export interface Subject {
  /** The text of the request's id; undefined where it has none. */
  readonly id: string | undefined;
  /** The text of another request's id that waits for its answer. */
  readonly otherId: string | undefined;
  /** A well-behaved result for it, as text. */
  readonly result: string;
  /** Results of the right method and a wrong shape. */
  readonly oddResults: readonly string[];
  /** The id of a question to the host. */
  readonly questionId: string;
  /** A whole message in place of an answer. */
  readonly instead?: string;
  /** The `endpoint` event of HTTP+SSE, which is the answer to its GET. */
  readonly endpoint?: string;
}

/** Deep enough to overflow the stack of whatever reads or writes it recursively. */
const DEPTH = 100_000;
const deepArray = '['.repeat(DEPTH) + ']'.repeat(DEPTH);
const deepObject = `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`;
/** Larger than what the bridge reads as a whole. */
const LONG = 'x'.repeat(100_000);

const rpc = (members: string) => `{"jsonrpc":"2.0",${members}}`;
const answer = (id: string | undefined, result: string) => rpc(`"id":${id ?? 'null'},"result":${result}`);
const error = (id: string | undefined, code: number, message: string, more = '') =>
  rpc(`"id":${id ?? 'null'},"error":{"code":${code},"message":${JSON.stringify(message)}${more}}`);
const rounded = (id: string | undefined) => JSON.stringify(JSON.parse(id ?? 'null'));
const half = (text: string) => text.slice(0, Math.ceil(text.length / 2));

type Make = (subject: Subject) => string;

/** Pieces that are JSON-RPC messages or wish to be; each can be a body or the data of an event. */
const MESSAGES: Readonly<Record<string, Make>> = {
  answer: ({ id, result, instead }) => instead ?? answer(id, result),
  'answer-rounded': ({ id, result }) => answer(rounded(id), result),
  'answer-retyped': ({ id, result }) =>
    answer(id?.startsWith('"') ? '7' : JSON.stringify(id ?? null), result),
  'answer-pretty': ({ id, result }) => answer(id, result).replaceAll(',"', ',\r\n  "'),
  'answer-returns': ({ id, result }) => answer(id, result).replaceAll(',"', ',\r"'),
  'answer-bom': ({ id, result }) => `\ufeff${answer(id, result)}`,
  'answer-long': ({ id }) => answer(id, `{"content":[],"padding":"${LONG}"}`),
  'answer-id-last': ({ id, result }) => `{"result":${result},"id":${id ?? 'null'},"jsonrpc":"2.0"}`,
  'answer-names-twice': ({ id, result }) => `{"id":"first",${answer(id, result).slice(1)}`,
  'answer-surrogate': ({ id }) => answer(id, '{"content":[{"type":"text","text":"\\ud83d"}]}'),
  'wrong-id': ({ result }) => answer('"nobody-asked"', result),
  'other-id': ({ otherId, result }) => answer(otherId ?? '"nobody-asked"', result),
  'null-id': ({ result }) => answer('null', result),
  'object-id': ({ result }) => answer('{"a":1}', result),
  'no-id': ({ result }) => rpc(`"result":${result}`),
  neither: ({ id }) => rpc(`"id":${id ?? 'null'}`),
  both: ({ id, result }) =>
    rpc(`"id":${id ?? 'null'},"result":${result},"error":{"code":-32000,"message":"both"}`),
  'no-version': ({ id, result }) => `{"id":${id ?? 'null'},"result":${result}}`,
  'old-version': ({ id, result }) => `{"jsonrpc":"1.0","id":${id ?? 'null'},"result":${result}}`,
  error: ({ id }) => error(id, -32602, 'no', ',"data":{"z":1,"a":12345678901234567890}'),
  'error-session': ({ id }) => error(id, -32000, 'the checkout session has expired'),
  'error-32001': ({ id }) => error(id, -32001, 'no such row'),
  'error-32020': ({ id }) => error(id, -32020, 'header mismatch'),
  'error-32021': ({ id }) => error(id, -32021, 'a capability is missing'),
  'error-32022': ({ id }) => error(id, -32022, 'unsupported', ',"data":{"supported":["2026-07-28"]}'),
  'error-32601': ({ id }) => error(id, -32601, 'Method not found'),
  'error-32042': ({ id }) => error(id, -32042, 'open this', ',"data":{"elicitations":7}'),
  'error-text': ({ id }) => rpc(`"id":${id ?? 'null'},"error":"no"`),
  'error-null': ({ id }) => rpc(`"id":${id ?? 'null'},"error":null`),
  'error-empty': ({ id }) => rpc(`"id":${id ?? 'null'},"error":{}`),
  'error-object': ({ id }) =>
    rpc(`"id":${id ?? 'null'},"error":{"code":"x","message":{"toString":1,"valueOf":1}}`),
  'error-deep': ({ id }) => error(id, -32000, 'deep', `,"data":${deepArray}`),
  'session-gone': () => error('null', -32001, 'Session not found'),
  'session-words': () => error('null', -32000, 'Bad Request: No valid session ID provided'),
  'version-words': () => error('null', -32000, 'Bad Request: Unsupported protocol version'),
  'null-error': () => error('null', -32600, 'no'),
  'null-32022': () => error('null', -32022, 'unsupported'),
  'deep-result': ({ id }) => answer(id, deepArray),
  'deep-object-result': ({ id }) => answer(id, deepObject),
  'deep-member': ({ id, result }) => answer(id, result.replace(/}$/, `,"deep":${deepArray}}`)),
  'deep-meta': ({ id, result }) => answer(id, result.replace(/}$/, `,"_meta":${deepObject}}`)),
  'deep-id': ({ result }) => answer(deepArray, result),
  deep: () => deepArray,
  'deep-object': () => deepObject,
  'array-result': ({ id }) => answer(id, '[]'),
  'text-result': ({ id }) => answer(id, '"no"'),
  'null-result': ({ id }) => answer(id, 'null'),
  'empty-result': ({ id }) => answer(id, '{}'),
  'proto-result': ({ id }) => answer(id, '{"__proto__":{"polluted":1},"constructor":null,"toString":1}'),
  nonsense: () => '{"jsonrpc":',
  html: () => '<!doctype html><title>\u001b[31mno</title>',
  empty: () => '',
  blank: () => ' \n ',
  scalar: () => '7',
  text: () => '"text"',
  null: () => 'null',
  truncated: ({ id, result }) => half(answer(id, result)),
  batch: ({ id, result }) => `[${LOG},${answer(id, result)}]`,
  'batch-of-batches': ({ id, result }) => `[[${answer(id, result)}]]`,
  'batch-deep': ({ id, result }) => `[${deepArray},${answer(id, result)}]`,
  'empty-batch': () => '[]',
  'batch-of-nonsense': ({ id, result }) => `[7,null,{},${answer(id, result)}]`,
  log: () => LOG,
  progress: () => rpc('"method":"notifications/progress","params":{"progressToken":"t","progress":1}'),
  'list-changed': () => rpc('"method":"notifications/tools/list_changed"'),
  'odd-params': () => rpc('"method":"notifications/message","params":7'),
  'deep-params': () => rpc(`"method":"notifications/message","params":${deepArray}`),
  'odd-method': () => rpc('"method":7'),
  'null-id-request': () => rpc('"id":null,"method":"ping"'),
  ping: () => rpc('"id":"ping-1","method":"ping"'),
  question: ({ questionId }) =>
    rpc(`"id":${questionId},"method":"elicitation/create","params":{"message":"Who?"}`),
  sampling: ({ questionId }) =>
    rpc(`"id":${questionId},"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}`),
  'unknown-question': ({ questionId }) => rpc(`"id":${questionId},"method":"x/unknown","params":[]`),
  'deep-question': ({ questionId }) =>
    rpc(`"id":${questionId},"method":"elicitation/create","params":{"message":"?","deep":${deepArray}}`),
  'cancelled-odd': () => rpc('"method":"notifications/cancelled","params":{"requestId":{"a":1}}'),
};

const LOG = rpc('"method":"notifications/message","params":{"level":"info","data":"odd"}');

/** Pieces of an event stream that are not one message each; as part of a body they are nonsense. */
const EVENTS: Readonly<Record<string, Make>> = {
  comment: () => ': still here\n\n',
  'named-ping': () => 'event: ping\ndata: {}\n\n',
  'named-text': () => 'event: heartbeat\ndata: now\n\n',
  'named-answer': ({ id, result }) => `event: other\ndata: ${answer(id, result)}\n\n`,
  'unnamed-answer': ({ id, result }) => `data: ${answer(id, result)}\n\n`,
  primer: () => 'id: 1\ndata:\n\n',
  'odd-event-id': () => 'id: \u00fc \u0001\ndata:\n\n',
  retry: () => 'retry: 20\n\n',
  'odd-retry': () => 'retry: -1\nretry: 99999999999999999999\n\n',
  'return-event': ({ id, result }) => `event: message\rdata: ${answer(id, result)}\r\r`,
  'cut-event': ({ id, result }) => `event: message\ndata: ${answer(id, result)}\n`,
  'split-event': ({ id, result }) =>
    `event: message\n${answer(id, result).replaceAll(',"', ',\n"').replaceAll(/^/gm, 'data: ')}\n\n`,
  'unknown-field': () => 'nothing: 1\nwhatever\n\n',
  nul: () => 'data: \u0000\n\n',
  'endpoint-elsewhere': () => 'event: endpoint\ndata: https://elsewhere.example/messages\n\n',
  'endpoint-empty': () => 'event: endpoint\ndata:\n\n',
  'endpoint-nonsense': () => 'event: endpoint\ndata: http://[\n\n',
  'endpoint-again': () => 'event: endpoint\ndata: /messages?again\n\n',
};

/** Bytes that are no UTF-8, in the place of these characters. */
const NOT_UTF8 = '\u0000not-utf8\u0000';
const BYTES: Readonly<Record<string, Make>> = {
  'not-utf8': ({ id }) => answer(id, `{"content":[{"type":"text","text":"${NOT_UTF8}"}]}`),
  'not-utf8-name': ({ id }) => answer(id, `{"content":[],"${NOT_UTF8}":1}`),
  'not-utf8-long': ({ id }) => answer(id, `{"content":[],"padding":"${LONG}${NOT_UTF8}"}`),
  'not-utf8-log': () => rpc(`"method":"notifications/message","params":{"data":"${NOT_UTF8}"}`),
};

export const MESSAGE_PIECES: readonly Piece[] = [...Object.keys(MESSAGES), ...Object.keys(BYTES)];
export const EVENT_PIECES: readonly Piece[] = Object.keys(EVENTS);
/** `odd-result:3` is the fourth of the odd results for the method at hand. */
export const ODD_RESULT = 'odd-result:';

/** Whether a message carries the id of the request itself, so that it is its answer. */
export function answersRequest(piece: Piece): boolean {
  const own =
    /^(answer|error|both|deep-(result|object-result|member|meta)|(array|text|null|empty|proto)-result)/;
  return own.test(piece) || piece.startsWith(ODD_RESULT);
}

function messageText(piece: Piece, subject: Subject): string | undefined {
  if (piece.startsWith(ODD_RESULT)) {
    const { oddResults, id } = subject;
    const at = Number(piece.slice(ODD_RESULT.length)) % Math.max(1, oddResults.length);
    return answer(id, oddResults[at] ?? 'null');
  }
  return (MESSAGES[piece] ?? BYTES[piece])?.(subject);
}

function bytesOf(text: string): Buffer {
  const parts = text.split(NOT_UTF8).map((part) => Buffer.from(part, 'utf8'));
  return Buffer.concat(
    parts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from([0x61, 0xff, 0xc3, 0x28]), part])),
  );
}

/** A piece as part of a body. */
export function bodyBytes(piece: Piece, subject: Subject): Buffer {
  return bytesOf(messageText(piece, subject) ?? EVENTS[piece]?.(subject) ?? piece);
}

/** A piece as an event. */
export function eventBytes(piece: Piece, subject: Subject): Buffer {
  const whole = EVENTS[piece]?.(subject);
  if (whole !== undefined) return bytesOf(whole);
  if (piece === 'answer' && subject.endpoint !== undefined) return bytesOf(subject.endpoint);
  const text = messageText(piece, subject) ?? piece;
  return bytesOf(
    `event: message\n${text
      .split(/\r\n|\n|\r/)
      .map((line) => `data: ${line}\n`)
      .join('')}\n`,
  );
}
