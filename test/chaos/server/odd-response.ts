import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { OddReply } from '../scenario.ts';
import { bodyBytes, eventBytes, type Subject } from './pieces.ts';

const TYPES = { json: 'application/json', events: 'text/event-stream', text: 'text/plain' } as const;
/** A slow body is so many pieces at most, so that a scenario has an end. */
const DRIP_PIECES = 40;
const DRIP_PAUSE_MS = 4;
/** What was written gets this long to leave before the connection breaks. */
const BEFORE_RESET_MS = 15;

export interface Held {
  /** Ends what hangs, by the right answer where there is one. */
  release(how: 'answer' | 'reset'): void;
}

/** The body of an odd reply. */
export function oddBody({ framing, pieces }: OddReply, subject: Subject): Buffer {
  const bytes = framing === 'events' ? eventBytes : bodyBytes;
  return Buffer.concat(pieces.map((piece) => bytes(piece, subject)));
}

/** Carries out an odd reply; what hangs is handed to `hold`, what stays open to `keep`. */
export async function respondOddly(
  reply: OddReply,
  body: Buffer,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  origins: { readonly own: string; readonly other: string },
  parts: { readonly hold: (held: Held) => void; readonly rightBody: () => Buffer; readonly keep: () => void },
): Promise<void> {
  const { socket } = request;
  if (reply.afterMs !== undefined) await delay(reply.afterMs);
  if (reply.end === 'reset') return void socket.resetAndDestroy();
  if (reply.end === 'no-http') return void socket.end('SSH-2.0-odd\r\n\r\n');
  const type = reply.type ?? TYPES[reply.framing];
  const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
  for (const [name, value] of Object.entries(reply.headers ?? {})) {
    headers[name] = value.replaceAll('$ORIGIN', origins.own).replaceAll('$OTHER', origins.other);
  }
  const writeHead = () => response.writeHead(reply.status, headers).flushHeaders();
  const half = Math.ceil(body.length / 2);
  switch (reply.end) {
    case 'hang':
      return parts.hold({
        release: (how) => {
          if (how === 'reset') return void socket.resetAndDestroy();
          response.writeHead(200, { 'content-type': TYPES[reply.framing] }).end(parts.rightBody());
        },
      });
    case 'whole':
      return void response.writeHead(reply.status, headers).end(body);
    case 'open':
      writeHead();
      response.write(body);
      return parts.keep();
    case 'half':
      writeHead();
      return void response.end(body.subarray(0, half));
    case 'half-reset':
      writeHead();
      response.write(body.subarray(0, half));
      await delay(BEFORE_RESET_MS);
      return void socket.resetAndDestroy();
    case 'half-hang':
      writeHead();
      response.write(body.subarray(0, half));
      return parts.hold({
        release: (how) => {
          if (how === 'reset') socket.resetAndDestroy();
          else response.end(body.subarray(half));
        },
      });
    case 'drip': {
      socket.setNoDelay(true);
      writeHead();
      const size = Math.max(1, Math.ceil(body.length / DRIP_PIECES));
      for (let at = 0; at < body.length; at += size) {
        response.write(body.subarray(at, at + size));
        await delay(DRIP_PAUSE_MS);
      }
      return void response.end();
    }
  }
}

/** Statuses with which a server refuses before it looks at what is asked. */
const BEFORE_DISPATCH = new Set([
  400, 401, 403, 404, 405, 406, 411, 413, 414, 415, 417, 421, 425, 426, 428, 429, 431, 307, 308,
]);

/**
 * Whether a server that replies so has run the call. What is refused before dispatch has not run; everything else may have, and here it has,
 * since that is the case in which a second attempt does harm.
 */
export function hasRun(reply: OddReply, answersCall: boolean): boolean {
  const { status } = reply;
  if (reply.end === 'hang' || reply.end === 'reset' || reply.end === 'no-http') return true;
  if (status === 401 || status === 403) return false;
  const asksForLater = status === 503 && reply.headers?.['retry-after'] !== undefined;
  if (!BEFORE_DISPATCH.has(status) && !asksForLater) return true;
  // A refusal under the call's own id is its answer, whatever its status, and also where only a part of it comes.
  return answersCall;
}
