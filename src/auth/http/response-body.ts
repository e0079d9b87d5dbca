import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { HttpResponse } from '../../platform/http/http.ts';
import { quote } from '../../protocol/quote.ts';
import { BadAnswerError, TooLargeError } from '../errors/oauth-errors.ts';

const INFLATE = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/** The body as text, refused beyond `maxBytes` before and after inflating: 204 KB of gzip can hold 200 MB (.github/SECURITY.md, attack 15). */
export async function readText(response: HttpResponse, maxBytes: number): Promise<string> {
  const coding = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const bytes = await readBytes(response, maxBytes);
  const decoded = coding === '' || coding === 'identity' ? bytes : await decode(bytes, coding, maxBytes);
  return new TextDecoder().decode(decoded);
}

async function readBytes(response: HttpResponse, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body) {
    total += chunk.length;
    if (total > maxBytes) {
      response.discard();
      throw tooLarge(maxBytes);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, total);
}

async function decode(bytes: Uint8Array, coding: string, maxBytes: number): Promise<Uint8Array> {
  const inflateOne = INFLATE.get(coding);
  if (inflateOne === undefined) {
    throw new BadAnswerError(`the answer has the content encoding ${quote(coding)}, which was not asked for`);
  }
  try {
    return await inflateOne(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new BadAnswerError(`the answer says that it is ${coding}, and is not`, { cause: error });
  }
}

function tooLarge(maxBytes: number): TooLargeError {
  return new TooLargeError(`the answer is larger than ${maxBytes / 1024} KiB`);
}
