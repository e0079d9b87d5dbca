import { text } from 'node:stream/consumers';
import { openRedisEngine } from '../../../src/store/redis/open.ts';
import { engineTools } from './engines.ts';

/**
 * A program of its own: opens the engine whose address comes on stdin, writes and reads a cell, waits for what it watches, and says on stdout what
 * came of it. To be bundled as the product is.
 */
const engine = openRedisEngine(await text(process.stdin), engineTools);
const cell = 'mcp:program:c';
const said: Record<string, unknown> = {};
try {
  const seen = await engine.get(cell);
  const heard = new Promise<void>((resolve) => engine.watch(cell, resolve));
  const put = await engine.put(cell, new TextEncoder().encode('written'), seen, true);
  await heard;
  said.put = put.kind;
  said.body = Buffer.from((await engine.get(cell)).body ?? []).toString();
  said.engine = (await engine.describe()).engine;
} catch (error) {
  said.error = error instanceof Error ? error.message : String(error);
}
await engine.close();
// Kibibytes on Linux (getrusage(2)).
said.peakMib = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify(said));
