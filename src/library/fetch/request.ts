import { shapeOf } from '../../config/library-config.ts';
import { ConfigError } from '../../errors.ts';

/** The arguments of a call of `fetch`, read once. */
export interface OutgoingRequest {
  readonly url: URL;
  readonly method: string;
  /** The caller's own headers. */
  readonly headers: Headers;
  readonly body: OutgoingBody | undefined;
  readonly signal: AbortSignal | undefined;
  readonly redirect: NonNullable<RequestInit['redirect']>;
  /** The caller's other options, for their own `fetch`. */
  readonly init: RequestInit;
}

export type OutgoingBody =
  /** Can be sent again. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Can be sent only once. */
  | { readonly kind: 'stream'; readonly stream: AsyncIterable<Uint8Array> };

/** Reads the arguments of `fetch`. Rejects with ConfigError if they are not a request. */
export async function readRequest(
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<OutgoingRequest> {
  const given = input instanceof Request ? input : undefined;
  const url = new URL(given?.url ?? addressOf(input));
  const headers = new Headers(init.headers ?? given?.headers);
  const method = (init.method ?? given?.method ?? 'GET').toUpperCase();
  const body = init.body ?? undefined;
  return {
    url,
    method,
    headers,
    // The source of a Request's body is unknown: it is a stream.
    body:
      body !== undefined
        ? await readBody(body, headers)
        : given?.body
          ? { kind: 'stream', stream: given.body }
          : undefined,
    signal: init.signal ?? given?.signal,
    redirect: init.redirect ?? given?.redirect ?? 'follow',
    init,
  };
}

function addressOf(input: unknown): string {
  if (input instanceof URL) return input.href;
  if (typeof input === 'string' && URL.canParse(input)) return input;
  throw new ConfigError(`fetch: expected an absolute address; got ${shapeOf(input)}`);
}

/** The bytes of a body that is complete (Fetch standard, "extract a body"), with its content type if the caller sets none. */
async function readBody(body: NonNullable<RequestInit['body']>, headers: Headers): Promise<OutgoingBody> {
  if (typeof body === 'object' && Symbol.asyncIterator in body && !(body instanceof Blob)) {
    return { kind: 'stream', stream: body as AsyncIterable<Uint8Array> };
  }
  const extracted = new Response(body);
  const type = extracted.headers.get('content-type');
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  return { kind: 'bytes', bytes: new Uint8Array(await extracted.arrayBuffer()) };
}
