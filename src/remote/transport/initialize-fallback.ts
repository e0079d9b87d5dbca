import { parseMessage } from '../../protocol/jsonrpc.ts';
import type { MessageOptions } from '../http/message-options.ts';
import type { Refusal } from '../http/refusal.ts';
import type { Reply, Transport } from './transport.ts';

/** The revisions that open with `initialize`, newest first. */
const REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/**
 * Posts an `initialize`. The specification has a server that does not know the revision answer with one that it knows; some (QUIRKS, Slack)
 * refuse with 400 instead, which ran nothing: older ones are offered then. What the server takes, its answer tells the host.
 */
export async function postInitialize(
  transport: Pick<Transport, 'post'>,
  body: Uint8Array | string,
  options: MessageOptions,
): Promise<Reply> {
  const first = await transport.post(body, options);
  if (first.kind !== 'refused' || !isAboutVersion(first.refusal)) return first;
  const parsed = parseMessage(body);
  const message = parsed.kind === 'request' ? parsed.message : undefined;
  const params = message?.params as { readonly protocolVersion?: unknown } | undefined;
  for (const protocolVersion of versionsToOffer(params?.protocolVersion, textOf(first.refusal))) {
    const offer = JSON.stringify({ ...message, params: { ...params, protocolVersion } });
    const reply = await transport.post(offer, options);
    if (reply.kind !== 'refused' || !isAboutVersion(reply.refusal)) return reply;
  }
  return first;
}

/** Those older than the one that was refused, only those that the refusal names if it names any. */
export function versionsToOffer(refused: unknown, words: string): readonly string[] {
  const older = REVISIONS.filter((revision) => typeof refused === 'string' && revision < refused);
  const named = older.filter((revision) => words.includes(revision));
  return named.length > 0 ? named : older;
}

function isAboutVersion(refusal: Refusal): boolean {
  return refusal.status === 400 && /protocol[ _-]?version/i.test(textOf(refusal));
}

function textOf({ body }: Refusal): string {
  return Buffer.from(body).toString('utf8');
}
