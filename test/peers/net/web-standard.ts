import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';

/** A request as servers of the web-standard kind take it. */
export function webRequest(
  incoming: Pick<IncomingMessage, 'method' | 'headers'>,
  url: string,
  body: Buffer,
  signal?: AbortSignal,
): Request {
  return new Request(url, {
    method: incoming.method ?? 'GET',
    headers: Object.entries(incoming.headers).map(
      ([name, value]) => [name, String(value)] as [string, string],
    ),
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

export function sendWebResponse(answer: Response, response: ServerResponse): void {
  const cookies = answer.headers.getSetCookie();
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
  });
  response.flushHeaders();
  if (answer.body === null) response.end();
  else
    Readable.fromWeb(answer.body as WebStream)
      .on('error', () => response.destroy())
      .pipe(response);
}
