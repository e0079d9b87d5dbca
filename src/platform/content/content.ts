import type { Transform } from 'node:stream';
import { pipeline, Readable } from 'node:stream';
import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import type { HttpBody, HttpResponse } from '../http/http.ts';

/** Most bodies are short, and there to their end with the headers. */
export type Body = AsyncIterable<Uint8Array> & Partial<Pick<HttpBody, 'whole'>>;

/** The errors of the room that reads a body: what an MCP server sent is another matter than what an authorization server did. */
export interface ContentErrors {
  readonly badAnswer: (message: string, details?: ErrorDetails) => DrawbridgeError;
  /** The body has a content coding that Node does not know. `coding` is the server's own text. */
  readonly unknownCoding: (coding: string) => DrawbridgeError;
  /** The body, decoded, is longer than `limitBytes`. */
  readonly tooLarge: (limitBytes: number) => DrawbridgeError;
}

/** The media type without its parameters, lower case; empty where there is none. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * The body as it was before its content coding (RFC 9110 §8.4.1). The bridge asks for none; a server that compresses all the same is
 * decoded, one that uses a coding that Node has not is an error.
 */
export function decodedBody(response: HttpResponse, errors: ContentErrors): Promise<Body> | Body {
  const coding = response.headers['content-encoding']?.trim().toLowerCase();
  const isPlain = coding === undefined || coding === '' || coding === 'identity';
  return isPlain ? response.body : decoded(response, coding, errors);
}

async function decoded(response: HttpResponse, coding: string, errors: ContentErrors): Promise<Body> {
  const { createBrotliDecompress, createGunzip, createInflate, ...zlib } = await import('node:zlib');
  const decoders: Record<string, () => Transform> = {
    __proto__: null as never,
    br: () => createBrotliDecompress(),
    deflate: () => createInflate(),
    gzip: () => createGunzip(),
    'x-gzip': () => createGunzip(),
    // Node has it from 22.15 on.
    ...('createZstdDecompress' in zlib ? { zstd: zlib.createZstdDecompress as () => Transform } : {}),
  };
  const create = decoders[coding];
  if (create === undefined) {
    response.discard();
    throw errors.unknownCoding(coding);
  }
  const decoder = create();
  const source = Readable.from(response.body, { objectMode: false });
  // The reader of `decoder` is told of a failure on either side; the callback only says that nobody else needs to be.
  return wellCoded(
    pipeline(source, decoder, () => {}),
    coding,
    errors,
  );
}

/** What the decoder chokes on is the server's mistake; a connection that broke is told as such. */
async function* wellCoded(
  decoded: AsyncIterable<Uint8Array>,
  coding: string,
  errors: ContentErrors,
): AsyncGenerator<Uint8Array> {
  try {
    yield* decoded;
  } catch (cause) {
    if (cause instanceof DrawbridgeError) throw cause;
    throw errors.badAnswer(`the server's answer is not coded as it says (${coding})`, { cause });
  }
}

/** The whole body of `response`, decoded, up to `limitBytes`; a promise where it is not there yet. */
export function readWhole(
  response: HttpResponse,
  body: Body,
  limitBytes: number,
  errors: ContentErrors,
): Promise<Uint8Array> | Uint8Array {
  const whole = body.whole?.();
  if (whole?.length === 1 && (whole[0] as Uint8Array).length <= limitBytes) return whole[0] as Uint8Array;
  const bytes = body === response.body ? Number(response.headers['content-length']) : Number.NaN;
  return bytes <= limitBytes
    ? readAnnounced(whole ?? body, bytes, errors)
    : readChunks(whole ?? body, limitBytes, errors);
}

type Chunks = AsyncIterable<Uint8Array> | readonly Uint8Array[];

/** Each chunk goes to its place as it comes: held side by side until the end, the body would be in memory twice. */
async function readAnnounced(chunks: Chunks, bytes: number, errors: ContentErrors): Promise<Uint8Array> {
  const body = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for await (const chunk of chunks) {
    if (at + chunk.length > bytes) throw errors.badAnswer('the server sent more than its Content-Length');
    body.set(chunk, at);
    at += chunk.length;
  }
  return body.subarray(0, at);
}

async function readChunks(from: Chunks, limitBytes: number, errors: ContentErrors): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of from) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw errors.tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}

/** The first `limitBytes` of a body that nobody needs whole. */
export async function readStart(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= limitBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, limitBytes);
}
