import type { ServerResponse } from 'node:http';
import type { SeenRequest } from '../faults/faults.ts';
import type { Vendor, VendorAnswer } from './vendor.ts';

export const SSE_PATH = '/v1/sse';
const MESSAGES_PATH = '/v1/messages';

/** HTTP+SSE (2024-11-05) as Atlassian serves it: a POST to the address that people are given finds nothing. */
export class VendorSse {
  readonly #vendor: Vendor;
  #stream: ServerResponse | undefined;

  constructor(vendor: Vendor) {
    this.#vendor = vendor;
  }

  /** Undefined: not for these paths, or `response` is in use. */
  serve(seen: SeenRequest, response: ServerResponse): VendorAnswer | 'taken' | undefined {
    const { method, path } = seen;
    if (path !== SSE_PATH && path !== MESSAGES_PATH) return undefined;
    if (path === SSE_PATH && method === 'POST') return { status: 404, body: 'Not Found' };
    if (this.#vendor.issuedTo(seen) === undefined) return this.#vendor.unauthorized();
    if (path === SSE_PATH) {
      this.#stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: endpoint\ndata: ${MESSAGES_PATH}\n\n`);
      return 'taken';
    }
    const { body } = this.#vendor.answer(JSON.parse(seen.body));
    if (body !== undefined) this.#stream?.write(`data: ${JSON.stringify(body)}\n\n`);
    return { status: 202 };
  }
}
