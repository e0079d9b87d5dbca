/**
 * Run in a network of its own (`unshare -rn`), which it takes down in mid-call: packets vanish and neither side is told. Prints what the host gets
 * and after how long, as JSON. A proxy cannot bring this about: its own kernel would go on answering.
 */
import { execFileSync } from 'node:child_process';
import { composeBridge } from '../hosts/composed-bridge.ts';
import { startRawMcpServer } from '../mcp-servers/bare/raw-mcp-server.ts';

const [behaviour = 'silent', probeAfterMs = '1000'] = process.argv.slice(2);

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const server = await startRawMcpServer();
const http = { probeAfterMs: Number(probeAfterMs) };
const bridge = (await composeBridge(server.address(behaviour), { http })).read();
await bridge.initialize();
bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/call' });
await server.requests.waitFor(({ rpc }) => rpc.id === 1);
// The acknowledgement of what was sent is on its way too: a connection that waits for one is not probed.
await new Promise((resolve) => setTimeout(resolve, 300));
execFileSync('ip', ['link', 'set', 'lo', 'down']);
const started = performance.now();
const { json } = await bridge.received.waitFor(({ json: { id } }) => id === 1, { timeoutMs: 90_000 });
process.stdout.write(JSON.stringify({ afterMs: performance.now() - started, answer: json }));
process.exit();
