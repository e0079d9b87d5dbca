import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Behaviour } from './raw-behaviours.ts';

const zstd = (zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync;

/** What a body becomes under each content coding. `wrong` says gzip and is none; `cut` ends early. */
export const codings: Readonly<Record<string, ((bytes: Buffer) => Buffer) | undefined>> = {
  br: brotliCompressSync,
  cut: (bytes) => gzipSync(bytes).subarray(0, -12),
  deflate: deflateSync,
  gzip: gzipSync,
  'x-gzip': gzipSync,
  unknown: (bytes) => bytes,
  wrong: (bytes) => bytes,
  zstd,
};

/** Answers `/mcp/coded?coding=NAME&type=json|stream` with a coded body. */
export const coded: Behaviour = ({ request, response, query }) => {
  const coding = query.get('coding') ?? '';
  const answer = JSON.stringify({ jsonrpc: '2.0', id: request.rpc.id, result: { text: 'é😀'.repeat(500) } });
  const stream = query.get('type') === 'stream';
  const body = Buffer.from(stream ? `data: ${answer}\n\n` : answer);
  response.writeHead(200, {
    'content-type': stream ? 'text/event-stream' : 'application/json',
    'content-encoding': coding === 'wrong' || coding === 'cut' ? 'gzip' : coding,
  });
  response.end(codings[coding]?.(body));
};
