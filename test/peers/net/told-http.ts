import { createAddressGuard } from '../../../src/auth/http/address-policy.ts';
import { createGuardedFetch, type GuardedFetch } from '../../../src/auth/http/guarded-fetch.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Http, HttpHeaders, HttpRequest } from '../../../src/platform/http/http.ts';

export interface ToldAnswer {
  readonly status: number;
  readonly headers?: HttpHeaders;
  readonly body: string;
}

/** The HTTP port with its answers told beforehand: for what is asked ten thousand times, and whose addresses nobody can listen at. */
export function toldHttp(answer: (request: HttpRequest) => ToldAnswer): Http {
  return {
    request: async (request) => {
      const { status, headers = { 'content-type': 'application/json' }, body } = answer(request);
      const bytes = Buffer.from(body, 'utf8');
      request.progress?.sent();
      return {
        status,
        headers,
        body: { whole: () => [bytes], [Symbol.asyncIterator]: () => once(bytes) },
        discard: () => {},
      };
    },
    dropIdle: () => {},
    close: async () => {},
  };
}

/** The only way to discovered addresses, over answers that were told. */
export function toldFetch(server: URL, answer: (request: HttpRequest) => ToldAnswer): GuardedFetch {
  const addresses = createAddressGuard(server);
  return createGuardedFetch({
    http: toldHttp(answer),
    addresses,
    server,
    allowHttp: false,
    clock: systemClock,
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
