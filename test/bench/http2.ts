/**
 * Whether HTTP/2 would serve the bridge better: `npx tsx test/bench/http2.ts`. Small JSON calls over TLS on loopback, the same server and client
 * library with and without it; latency one by one, throughput with 32 in flight. It does not pay: a call takes about twice as long
 * (p50 0.11 against 0.25 ms) and 32 in flight get a third of the throughput (9,000 against 3,000 calls a second), so the bridge speaks HTTP/1.1.
 */
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { createAuthority } from '../peers/net/certificates.ts';

const CALLS = 3_000;
const IN_FLIGHT = 32;
const ROUNDS = 3;

const authority = await createAuthority('Bench Root');
const identity = await authority.issue();
const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(1_000) } });
const server = createSecureServer({ ...identity, allowHTTP1: true }, (incoming, response) => {
  incoming.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(answer);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;

async function call(dispatcher: Agent): Promise<number> {
  const started = performance.now();
  const { body } = await request(url, { dispatcher, method: 'POST', body: answer });
  await body.text();
  return performance.now() - started;
}

async function measure(allowH2: boolean): Promise<{ p50: number; p99: number; perSecond: number }> {
  const dispatcher = new Agent({ allowH2, connect: { ca: authority.pem } });
  for (let at = 0; at < 200; at++) await call(dispatcher);
  const times: number[] = [];
  for (let at = 0; at < CALLS; at++) times.push(await call(dispatcher));
  times.sort((one, other) => one - other);
  const started = performance.now();
  let left = CALLS;
  const worker = async () => {
    while (left-- > 0) await call(dispatcher);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const perSecond = (CALLS / (performance.now() - started)) * 1_000;
  await dispatcher.destroy();
  return { p50: times[CALLS / 2] as number, p99: times[Math.floor(CALLS * 0.99)] as number, perSecond };
}

for (let round = 0; round < ROUNDS; round++) {
  for (const allowH2 of [false, true]) {
    const { p50, p99, perSecond } = await measure(allowH2);
    const name = allowH2 ? 'HTTP/2  ' : 'HTTP/1.1';
    process.stdout.write(
      `${name}  p50 ${p50.toFixed(3)} ms  p99 ${p99.toFixed(3)} ms  ${Math.round(perSecond)} calls/s with ${IN_FLIGHT} in flight\n`,
    );
  }
}
server.close();
process.exit();
