import { memberText } from './json/raw-json.ts';

declare const MESSAGE_ID: unique symbol;

/**
 * The JSON text of an id or progress token exactly as its sender wrote it: `1`, `1.0`, `"1"`. Parsing and serializing a number could change it
 * (RFC 8259 §6): beyond 2^53 two different ids become equal. `0` and `""` are valid ids; MCP forbids `null` in requests.
 */
export type MessageId = string & { readonly [MESSAGE_ID]: true };

/** The id whose value is this string. */
export function stringId(text: string): MessageId {
  return JSON.stringify(text) as MessageId;
}

/** The JSON text of a member as an id; undefined if it is neither a string nor a number. */
export function asMessageId(json: string | undefined): MessageId | undefined {
  return json !== undefined && /^["\d-]/.test(json) ? (json as MessageId) : undefined;
}

/** Nearly all messages begin or end with their id, where it can be found without reading the rest. */
const AT_START = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d[\d.eE+-]*|"[^"\\]*")\s*[,}]/;
const AT_END = /"id"\s*:\s*(-?\d[\d.eE+-]*|"[^"\\]*")\s*\}\s*$/y;

/** The text of the top-level `id` of a valid message; `value` is the parsed id. */
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
  return typeof value === 'number' ? Number(json) === value : json === `"${value}"`;
}

/** The id in `notifications/cancelled` or the token in a progress notification; undefined if it is missing or invalid. */
export function idInParams(message: string, name: 'requestId' | 'progressToken'): MessageId | undefined {
  const params = memberText(message, 'params');
  return params?.startsWith('{') ? asMessageId(memberText(params, name)) : undefined;
}

/** A key that is equal for equal ids: JSON has many spellings of a string, while a number counts as its text. */
function idKey(id: MessageId): string {
  return id.includes('\\') ? JSON.stringify(JSON.parse(id)) : id;
}

/**
 * Whether an answer with the id `answered` can belong to the request `asked`. JSON-RPC 2.0 §5 requires the same value; some servers write
 * `1.0` for `1`.
 */
export function answersId(answered: MessageId, asked: MessageId): boolean {
  if (answered === asked || idKey(answered) === idKey(asked)) return true;
  return isNumber(answered) && isNumber(asked) && decimal(answered) === decimal(asked);
}

function isNumber(id: MessageId): boolean {
  return !id.startsWith('"');
}

/** Numbers with longer exponents are compared by their text instead of their value. */
const MAX_EXPONENT_DIGITS = 15;

/** A canonical spelling of a JSON number, without rounding. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (exponent.length > MAX_EXPONENT_DIGITS) return text;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = withoutZeros(digits);
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** Removes trailing zeros. A regular expression would take quadratic time in a text that a server controls. */
function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** Values by id. `1`, `1.0` and `"1"` are different ids. */
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

  /** The value for an answer with this id: under the same id, or else under the only numerically equal one. */
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
