import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from './journal.ts';
import { listen, readBody } from './listening.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Behaviour = (request: SeenRequest, response: ServerResponse) => unknown;

/** An origin that answers each path as it was told to, with 404 elsewhere, and keeps what it saw. */
export interface WebOrigin extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly requests: Journal<SeenRequest>;
  /** Connections, whether a request came over them or not. */
  connections(): number;
  on(path: string, behaviour: Behaviour): void;
}

export async function startWebOrigin(): Promise<WebOrigin> {
  const requests = new Journal<SeenRequest>();
  const behaviours = new Map<string, Behaviour>();
  let connections = 0;
  const listening = await listen(async (incoming: IncomingMessage, response) => {
    const body = (await readBody(incoming)).toString('utf8');
    const path = incoming.url ?? '';
    const seen = { method: incoming.method ?? '', path, headers: incoming.headers, body };
    requests.add(seen);
    const behaviour = behaviours.get(path);
    if (behaviour === undefined) response.writeHead(404).end();
    else behaviour(seen, response);
  });
  listening.server.on('connection', () => {
    connections++;
  });
  return {
    origin: listening.origin,
    port: listening.port,
    requests,
    connections: () => connections,
    on: (path, behaviour) => behaviours.set(path, behaviour),
    [Symbol.asyncDispose]: listening.close,
  };
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Behaviour {
  return (_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof value === 'string' ? value : JSON.stringify(value));
}

export function text(
  body: string | Uint8Array,
  status = 200,
  headers: Record<string, string> = {},
): Behaviour {
  return (_, response) => response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
}

export function redirect(location: string, status = 302): Behaviour {
  return (_, response) => response.writeHead(status, { location }).end();
}

/** Headers at once, then a byte now and then, forever. */
export const trickle: Behaviour = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"issuer":"');
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
};

/** Takes the request and never answers. */
export const silence: Behaviour = () => undefined;

export const reset: Behaviour = (_, response) => response.socket?.destroy();
