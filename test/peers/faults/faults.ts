import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** A request as it came, for assertions on what was (and was not) sent. */
export interface SeenRequest {
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, in the order and spelling of the wire. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export function seenRequest(request: IncomingMessage, body: Buffer): SeenRequest {
  const url = request.url ?? '/';
  return {
    at: Date.now(),
    method: request.method ?? '',
    url,
    path: url.split('?')[0] as string,
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body: body.toString('utf8'),
  };
}

/** What a server does to a request in place of serving it well. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection breaks and the request was not looked at. */
  | { readonly kind: 'reset' }
  /** The request is served to the end, but its answer never leaves. */
  | { readonly kind: 'reset-after-commit' }
  /** The request is read and never answered. */
  | { readonly kind: 'black-hole' }
  | { readonly kind: 'delay'; readonly ms: number };

const json = { 'content-type': 'application/json' };

export const faults = {
  unavailable: { kind: 'answer', status: 503, headers: { 'content-type': 'text/plain' }, body: 'down' },
  badGateway: { kind: 'answer', status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>502</h1>' },
  gatewayTimeout: {
    kind: 'answer',
    status: 504,
    headers: { 'content-type': 'text/html' },
    body: '<h1>504</h1>',
  },
  tooMany: (retryAfter: string): Fault => ({
    kind: 'answer',
    status: 429,
    headers: { ...json, 'retry-after': retryAfter },
    body: '{"error":"too_many_requests"}',
  }),
  unavailableFor: (retryAfter: string): Fault => ({
    kind: 'answer',
    status: 503,
    headers: { 'retry-after': retryAfter },
  }),
  html: {
    kind: 'answer',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Captive portal</title>',
  },
  nonsense: { kind: 'answer', status: 200, headers: json, body: '{"access_token":' },
  invalidGrant: {
    kind: 'answer',
    status: 400,
    headers: json,
    body: '{"error":"invalid_grant","error_description":"made to fail"}',
  },
  invalidClient: {
    kind: 'answer',
    status: 401,
    headers: json,
    body: '{"error":"invalid_client","error_description":"made to fail"}',
  },
  redirect: (location: string, status = 307): Fault => ({ kind: 'answer', status, headers: { location } }),
  reset: { kind: 'reset' },
  resetAfterCommit: { kind: 'reset-after-commit' },
  blackHole: { kind: 'black-hole' },
  delay: (ms: number): Fault => ({ kind: 'delay', ms }),
} satisfies Record<string, Fault | ((...args: never[]) => Fault)>;

interface Planned {
  readonly fault: Fault;
  readonly matches: (request: SeenRequest) => boolean;
  left: number;
}

/** The misbehaviour a test has asked for, changed while the server runs. */
export class FaultPlan {
  #planned: Planned[] = [];

  /** From now on (or for the next `times` requests) what matches is treated so. */
  add(fault: Fault, matches: (request: SeenRequest) => boolean, times = Number.POSITIVE_INFINITY): void {
    this.#planned.push({ fault, matches, left: times });
  }

  clear(): void {
    this.#planned = [];
  }

  take(request: SeenRequest): Fault | undefined {
    const planned = this.#planned.find((one) => one.left > 0 && one.matches(request));
    if (planned === undefined) return undefined;
    planned.left--;
    return planned.fault;
  }
}

/** Carries a fault out; true when the request still has to be served. */
export async function applyFault(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  switch (fault.kind) {
    case 'answer':
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
      return false;
    case 'reset':
      request.socket.resetAndDestroy();
      return false;
    case 'reset-after-commit':
      response.end = () => {
        request.socket.resetAndDestroy();
        return response;
      };
      return true;
    case 'black-hole':
      return false;
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return true;
  }
}
