// A bridge as one writes it on a first afternoon: what the oracle has to find fault with.
import { createInterface } from 'node:readline';

const url = process.argv[2];
const TYPES = 'application/json, text/event-stream';
let session;

async function post(body) {
  const headers = { 'content-type': 'application/json', accept: TYPES };
  if (session !== undefined) headers['mcp-session-id'] = session;
  const response = await fetch(url, { method: 'POST', headers, body });
  session ??= response.headers.get('mcp-session-id') ?? undefined;
  return response;
}

async function relay(line) {
  let response = await post(line);
  // It tries again, whatever may have happened.
  if (response.status >= 500) response = await post(line);
  if (response.status === 202) return;
  const { id } = JSON.parse(line);
  if (!response.ok) {
    const error = { code: -32000, message: `status ${response.status}`, data: { mayHaveRun: false } };
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`);
    return;
  }
  for (const text of (await response.text()).split('\n')) {
    const data = text.startsWith('data: ') ? text.slice(6) : text;
    if (data.startsWith('{')) process.stdout.write(`${JSON.stringify(JSON.parse(data))}\n`);
  }
}

const lines = createInterface({ input: process.stdin });
let queue = Promise.resolve();
lines.on('line', (line) => {
  queue = queue.then(() => relay(line));
});
