import { rawChild, rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { parseMessage, textOf } from '../../protocol/jsonrpc.ts';
import { LEGACY_VERSIONS } from '../../protocol/revisions.ts';
import type { MessageOptions } from '../http/message-options.ts';
import type { Refusal } from '../http/refusal.ts';
import type { Reply, Transport } from './transport.ts';

/**
 * Posts an `initialize`. The specification has a server that does not know the revision answer with one that it knows; some (src/auth/README.md, "Slack")
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
  if (parsed.kind !== 'request') return first;
  const message = rawMembers(textOf(body));
  const params = rawChild(message, 'params');
  const { protocolVersion: refused } = Object(parsed.message.params) as {
    readonly protocolVersion?: unknown;
  };
  for (const version of versionsToOffer(refused, textOf(first.refusal.body))) {
    params.set('protocolVersion', JSON.stringify(version));
    const offer = rawObject(message.set('params', rawObject(params)));
    const reply = await transport.post(offer, options);
    if (reply.kind !== 'refused' || !isAboutVersion(reply.refusal)) return reply;
  }
  return first;
}

/** Those older than the one that was refused, only those that the refusal names if it names any. */
export function versionsToOffer(refused: unknown, words: string): readonly string[] {
  const older = LEGACY_VERSIONS.filter((revision) => typeof refused === 'string' && revision < refused);
  const named = older.filter((revision) => words.includes(revision));
  return named.length > 0 ? named : older;
}

function isAboutVersion(refusal: Refusal): boolean {
  return refusal.status === 400 && /protocol[ _-]?version/i.test(textOf(refusal.body));
}
