import { decodedBody, mediaType, readStart } from '../../platform/content/content.ts';
import type { HttpResponse } from '../../platform/http/http.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { contentErrors } from './errors.ts';
import { MAX_REFUSAL_BYTES, REFUSAL_BODY_MS } from './limits.ts';
import type { Refusal } from './refusal.ts';

export async function readRefusal(response: HttpResponse): Promise<Refusal> {
  const { headers, status } = response;
  const wwwAuthenticate = await readChallenge(headers['www-authenticate']);
  const body = await unbrokenStart(response);
  return {
    status,
    contentType: mediaType(headers['content-type']),
    wwwAuthenticate,
    retryAfter: headers['retry-after'],
    location: headers.location,
    ...(body === undefined ? { body: new Uint8Array(), isBodyLost: true } : { body }),
  };
}

/** Loads the parser with the first challenge: a session whose token is accepted never needs it. */
async function readChallenge(header: string | undefined): Promise<BearerChallenge | undefined> {
  if (header === undefined) return undefined;
  const { bearerChallenge } = await import('../../protocol/www-authenticate.ts');
  return bearerChallenge(header);
}

/** The status decides; a slow, broken or badly encoded body only loses its text. */
export async function startOfBody(response: HttpResponse): Promise<Uint8Array> {
  return (await unbrokenStart(response)) ?? new Uint8Array();
}

/** Like `startOfBody`, if an empty body means something else than a lost one: that is undefined. */
export async function unbrokenStart(response: HttpResponse): Promise<Uint8Array | undefined> {
  const timer = setTimeout(() => response.discard(), REFUSAL_BODY_MS);
  try {
    return await readStart(await decodedBody(response, contentErrors), MAX_REFUSAL_BYTES);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
