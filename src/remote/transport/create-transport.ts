import type { ServerCache } from '../../protocol/server-cache.ts';
import type { McpOriginOptions } from '../http/mcp-origin.ts';
import { AutoTransport } from './auto-transport.ts';
import { StreamableHttp } from './streamable-http.ts';
import type { Transport } from './transport.ts';

/** `--transport`. */
export type TransportChoice = 'auto' | 'http' | 'sse' | 'sse-first';

/** The configured transport, or the one that detects it. HTTP+SSE is loaded only if it is used. */
export async function createTransport(
  choice: TransportChoice,
  options: McpOriginOptions,
  memory: ServerCache,
): Promise<Transport> {
  const loadSse = async () => new (await import('./http-sse.ts')).HttpSse(options);
  if (choice === 'sse') return loadSse();
  const http = new StreamableHttp(options);
  if (choice === 'http') return http;
  return new AutoTransport({ http, loadSse, memory, ...(choice === 'sse-first' ? { first: 'sse' } : {}) });
}
