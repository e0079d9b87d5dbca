import type { Transform } from 'node:stream';
import { pipeline, Readable } from 'node:stream';
import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import type { HttpBody, HttpResponse } from '../http/http.ts';

/** Most bodies are short, and complete when the headers arrive. */
export type Body = AsyncIterable<Uint8Array> & Partial<Pick<HttpBody, 'whole'>>;

/** The caller's error classes: an MCP server's invalid body is a different error from an authorization server's. */
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
 * The body before its content coding (RFC 9110 §8.4.1). The bridge requests none; the body of a server that compresses all the same is decoded, and a coding
 * that Node does not support is an error.
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
    // Node supports it since 22.15.
    ...('createZstdDecompress' in zlib ? { zstd: zlib.createZstdDecompress as () => Transform } : {}),
  };
  const create = decoders[coding];
  if (create === undefined) {
    response.discard();
    throw errors.unknownCoding(coding);
  }
  const decoder = create();
  const source = Readable.from(response.body, { objectMode: false });
  // The reader of `decoder` gets a failure on either side; the callback only says that nothing else needs it.
  return wellCoded(
    pipeline(source, decoder, () => {}),
    coding,
    errors,
  );
}

/** A decoding error is the server's mistake; a broken connection is reported as such. */
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

/** The complete body of `response`, decoded, up to `limitBytes`; a promise if it has not arrived yet. */
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

/** Each chunk is copied to its place when it arrives: kept separately until the end, the body would be in memory twice. */
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

/** The first `limitBytes` of a body that is not needed completely. `isCut`: it broke before that, and `start` is what came. */
export async function readStart(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<{ readonly start: Uint8Array; readonly isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const read = (isCut: boolean) => ({ start: Buffer.concat(chunks).subarray(0, limitBytes), isCut });
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= limitBytes) break;
    }
    return read(false);
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
    return read(true);
  }
}
