import { memberText } from './raw-json.ts';

declare const MESSAGE_ID: unique symbol;

/**
 * The JSON text of an id, or of a progress token, as its sender wrote it: `1`, `1.0`, `"1"`. Parsing and writing a number again would change it
 * (RFC 8259 §6): beyond 2^53 two ids become one. `0` and `""` are ids; MCP forbids `null` in requests.
 */
export type MessageId = string & { readonly [MESSAGE_ID]: true };

/** The id that is this string. */
export function stringId(text: string): MessageId {
  return JSON.stringify(text) as MessageId;
}

/** The text of a member as an id; undefined where it is neither a string nor a number. */
export function asMessageId(json: string | undefined): MessageId | undefined {
  return json !== undefined && /^["\d-]/.test(json) ? (json as MessageId) : undefined;
}

/** Nearly all messages begin or end with their id, which is found there without a look at the rest. */
const AT_START = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d[\d.eE+-]*|"[^"\\]*")\s*[,}]/;
const AT_END = /"id"\s*:\s*(-?\d[\d.eE+-]*|"[^"\\]*")\s*\}\s*$/y;

/** The text of the top-level `id` of a valid message, which was parsed to `value`. */
export function messageIdIn(message: string, value: string | number): MessageId {
  const first = AT_START.exec(message)?.[1];
  if (first !== undefined && isTextOf(first, value)) return first as MessageId;
  AT_END.lastIndex = message.lastIndexOf('"id"');
  // In valid JSON an unescaped quote before `id` opens the name of a member, and the last bracket closes the message itself.
  if (AT_END.lastIndex > 0 && message[AT_END.lastIndex - 1] !== '\\') {
    const last = AT_END.exec(message)?.[1];
    if (last !== undefined && isTextOf(last, value)) return last as MessageId;
  }
  return memberText(message, 'id') as MessageId;
}

function isTextOf(json: string, value: string | number): boolean {
  return typeof value === 'number' ? Number(json) === value : json.slice(1, -1) === value;
}

/** The id that `notifications/cancelled` names, or the token that a progress notification is of; undefined where it is none. */
export function idInParams(message: string, name: 'requestId' | 'progressToken'): MessageId | undefined {
  const params = memberText(message, 'params');
  return params?.startsWith('{') ? asMessageId(memberText(params, name)) : undefined;
}

/** Two ids are one and the same id where this is equal: JSON has many spellings of a string, and a number is its text. */
function idKey(id: MessageId): string {
  return id.includes('\\') ? JSON.stringify(JSON.parse(id)) : id;
}

/**
 * Whether an answer under `answered` can be meant for `asked`. JSON-RPC 2.0 §5 wants the same value: some servers write `1.0` where they
 * read `1`.
 */
export function answersId(answered: MessageId, asked: MessageId): boolean {
  if (answered === asked || idKey(answered) === idKey(asked)) return true;
  return isNumber(answered) && isNumber(asked) && decimal(answered) === decimal(asked);
}

function isNumber(id: MessageId): boolean {
  return !id.startsWith('"');
}

/** Longer exponents than this are not compared by their value. */
const MAX_EXPONENT_DIGITS = 15;

/** One spelling for each value of a JSON number, without rounding. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (exponent.length > MAX_EXPONENT_DIGITS) return text;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = withoutZeros(digits);
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** Without the zeros at its end; a regular expression for it would be quadratic in what a server sends. */
function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** Values by id. Two ids that are written differently are two: `1` and `1.0`, `1` and `"1"`. */
export class IdMap<T> {
  readonly #entries = new Map<string, { readonly id: MessageId; readonly value: T }>();

  get size(): number {
    return this.#entries.size;
  }

  get(id: MessageId): T | undefined {
    return this.#entries.get(idKey(id))?.value;
  }

  set(id: MessageId, value: T): void {
    this.#entries.set(idKey(id), { id, value });
  }

  delete(id: MessageId): void {
    this.#entries.delete(idKey(id));
  }

  /** The value that an answer under this id is meant for: under that very id, or under the only number of the same value. */
  find(answered: MessageId): T | undefined {
    const entry = this.#entries.get(idKey(answered));
    if (entry !== undefined || !isNumber(answered)) return entry?.value;
    const same = [...this.#entries.values()].filter(({ id }) => answersId(answered, id));
    return same.length === 1 ? same[0]?.value : undefined;
  }

  values(): T[] {
    return Array.from(this.#entries.values(), ({ value }) => value);
  }
}
