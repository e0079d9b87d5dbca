/** What the host of the bench says. The id stands first, so that both ends find it in a message of any size without parsing it. */

export type Kind = 'json' | 'sse';

const HEAD_BYTES = 300;
/** A longer message is looked at by its head alone: the bench measures the bridge, not `JSON.parse` in its own ends. */
export const PARSED_BYTES = 64 * 1024;

export const SMALL_BYTES = 1_024;
export const TOKEN = 'bench-token';

export const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  },
});
export const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

function call(id: number, name: string, args: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
}

/** An answer of about `bytes`, as JSON or as the one event of a stream. */
export function askFor(id: number, bytes: number, kind: Kind): string {
  return call(id, 'answer', { bytes, kind });
}

/** `count` progress notifications, then the answer. */
export function askForProgress(id: number, count: number): string {
  return call(id, 'progress', { count });
}

/** A call whose arguments are of about `bytes`. */
export function carry(id: number, bytes: number): Buffer {
  const [head, tail] = call(id, 'take', { text: '@' }).split('@') as [string, string];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, 'x'), Buffer.from(tail)]);
}

/** The id of an answer; undefined: it is none. */
export function answeredId(message: Buffer): number | undefined {
  if (message.length > PARSED_BYTES) return headOf(message).id;
  const { id, method } = JSON.parse(message.toString('utf8')) as { id?: number; method?: string };
  return method === undefined ? id : undefined;
}

export interface Head {
  readonly id: number | undefined;
  readonly method: string | undefined;
  readonly tool: string | undefined;
}

export function headOf(message: Buffer): Head {
  const head = message.toString('latin1', 0, HEAD_BYTES);
  const id = /"id":(\d+)/.exec(head)?.[1];
  return {
    id: id === undefined ? undefined : Number(id),
    method: /"method":"([^"]+)"/.exec(head)?.[1],
    tool: /"name":"([^"]+)"/.exec(head)?.[1],
  };
}
