import { decodedBody, mediaType, readStart } from '../../platform/content/content.ts';
import type { HttpResponse } from '../../platform/http/http.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { contentErrors } from './errors.ts';
import { MAX_REFUSAL_BYTES, REFUSAL_BODY_MS } from './limits.ts';
import type { Refusal } from './refusal.ts';

export async function readRefusal(response: HttpResponse): Promise<Refusal> {
  const { headers, status } = response;
  const wwwAuthenticate = await readChallenge(headers['www-authenticate']);
  const { start, isCut } = await startOf(response);
  return {
    status,
    contentType: mediaType(headers['content-type']),
    wwwAuthenticate,
    retryAfter: headers['retry-after'],
    location: headers.location,
    body: start,
    ...(isCut ? { isCut: true } : {}),
  };
}

/** Loads the parser with the first challenge: a session whose token is accepted never needs it. */
async function readChallenge(header: string | undefined): Promise<BearerChallenge | undefined> {
  if (header === undefined) return undefined;
  const { bearerChallenge } = await import('../../protocol/www-authenticate.ts');
  return bearerChallenge(header);
}

/** For a response of which the status decides: a slow, broken or badly encoded body only loses its text. */
export async function startOfBody(response: HttpResponse): Promise<Uint8Array> {
  return (await startOf(response)).start;
}

/** The same; undefined if the body broke off. */
export async function unbrokenStart(response: HttpResponse): Promise<Uint8Array | undefined> {
  const { start, isCut } = await startOf(response);
  return isCut ? undefined : start;
}

async function startOf(
  response: HttpResponse,
): Promise<{ readonly start: Uint8Array; readonly isCut: boolean }> {
  const timer = setTimeout(() => response.discard(), REFUSAL_BODY_MS);
  try {
    // Nothing is not coded, whatever its headers say.
    const isEmpty = response.headers['content-length'] === '0';
    const body = isEmpty ? response.body : await decodedBody(response, contentErrors);
    return await readStart(body, MAX_REFUSAL_BYTES);
  } catch {
    return { start: new Uint8Array(), isCut: true };
  } finally {
    clearTimeout(timer);
  }
}
