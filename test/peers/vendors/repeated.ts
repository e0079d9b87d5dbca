import type { SeenRequest } from '../faults/faults.ts';
import { ESCAPINGS, escapedAs } from '../worlds/threats/spellings.ts';
import type { VendorAnswer } from './vendor.ts';

const HEADERS = ['authorization', 'x-api-key', 'cookie', 'mcp-session-id', 'dpop'];
const ways = [...Object.keys(ESCAPINGS), 'base64'];

/** How a text is written into another one, a different way for each number. */
export function written(text: string, way: number): string {
  const name = ways[way % ways.length] as string;
  return name === 'base64' ? Buffer.from(text).toString('base64') : escapedAs(text, [name]);
}

/**
 * What a debug page shows of a request: what its headers, its query and its body hold. Only the beginning of a page is ever quoted, so with each
 * number another of them comes first.
 */
export function sentIn({ headers, url, body }: SeenRequest, number: number): string {
  const sent = [...HEADERS.map((name) => headers[name]), url, body].filter((each) => each?.length);
  const first = number % sent.length;
  return [...sent.slice(first), ...sent.slice(0, first)].join(' | ');
}

/** The answer of a server that shows in each refusal what it was sent. */
export function repeating(answer: VendorAnswer, request: SeenRequest, number: number): VendorAnswer {
  const { status = 200, headers = {}, body } = answer;
  if (status < 400) return answer;
  const said = written(sentIn(request, number), Math.floor(number / 3));
  const challenge = headers['www-authenticate'];
  // In a quoted string (RFC 9110 §5.6.4).
  const described = `${challenge}, error_description="${encodeURIComponent(said)}"`;
  return {
    ...answer,
    headers: challenge === undefined ? headers : { ...headers, 'www-authenticate': described },
    body: body === undefined ? said : isUndescribed(body) ? { ...body, error_description: said } : body,
  };
}

function isUndescribed(body: unknown): body is object {
  if (typeof body !== 'object' || body === null || 'error_description' in body) return false;
  return 'error' in body && /^\w+$/.test(String(body.error));
}
