import { PassThrough } from 'node:stream';
import type { Clock } from '../platform/clock.ts';
import { isObject, type JsonObject } from '../protocol/json/json-object.ts';
import { quote } from '../protocol/quote.ts';
import { LEGACY_VERSION } from '../protocol/revisions.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** Runs a bridge between these streams until the signal aborts. */
export type StartBridge = (stdin: PassThrough, stdout: PassThrough, stop: AbortSignal) => Promise<unknown>;

/** Longest tool name: with a longer one, hosts omit the tool or the model's provider refuses it. */
const NAME_MAX_CHARACTERS = 64;
/** As long as most hosts wait for `initialize`. */
const ANSWER_LIMIT_MS = 30_000;

/** Sends one `initialize` and one `tools/list` exactly as a host's messages are sent. */
export async function askServer(
  startBridge: StartBridge,
  version: string,
  clock: Pick<Clock, 'monotonic'>,
  signal: AbortSignal,
): Promise<Finding> {
  const over = new AbortController();
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const startedAt = clock.monotonic();
  const ended = startBridge(stdin, stdout, over.signal).catch((error: unknown) => {
    over.abort(error);
  });
  try {
    const limit = AbortSignal.any([signal, over.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
    const answers = readAnswers(stdout, limit);
    const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    send({
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: LEGACY_VERSION,
        capabilities: {},
        clientInfo: { name: 'mcp-drawbridge-doctor', version },
      },
    });
    const initialized = await answers(1);
    if ('error' in initialized) return failure(`initialize: ${messageOf(initialized.error)}`);
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'tools/list' });
    const listed = await answers(2);
    const tookMs = Math.round(clock.monotonic() - startedAt);
    if ('error' in listed) return failure(`tools/list: ${messageOf(listed.error)}`);
    return toolsFinding(listed.result, tookMs);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (over.signal.aborted) throw error;
    return failure(
      `the server has not answered initialize and tools/list within ${ANSWER_LIMIT_MS / 1000} s`,
    );
  } finally {
    over.abort('host-gone');
    stdin.end();
    await ended;
  }
}

function toolsFinding(result: unknown, tookMs: number): Finding {
  const tools = isObject(result) && Array.isArray(result.tools) ? result.tools : [];
  const names = tools.flatMap((tool) => (isObject(tool) && typeof tool.name === 'string' ? [tool.name] : []));
  const more = isObject(result) && typeof result.nextCursor === 'string' ? ' on the first page' : '';
  const text = `${names.length} ${names.length === 1 ? 'tool' : 'tools'}${more}, after ${tookMs} ms`;
  const long = names.find((name) => name.length > NAME_MAX_CHARACTERS);
  return long === undefined
    ? ok(text)
    : warning(`${text}; some hosts leave out names as long as ${quote(long)}`);
}

function messageOf(error: unknown): string {
  return isObject(error) && typeof error.message === 'string' ? error.message : 'an error without a message';
}

/** Waits for the response to an id. Rejects with the signal's reason. */
function readAnswers(stdout: PassThrough, signal: AbortSignal): (id: number) => Promise<JsonObject> {
  const arrived = new Map<unknown, JsonObject>();
  const waiting = new Map<unknown, (answer: JsonObject) => void>();
  let held = '';
  stdout.setEncoding('utf8');
  stdout.on('data', (text: string) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (!isObject(message) || 'method' in message) continue;
      arrived.set(message.id, message);
      waiting.get(message.id)?.(message);
    }
  });
  return (id) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const answer = arrived.get(id);
      if (answer === undefined) waiting.set(id, resolve);
      else resolve(answer);
    });
}
