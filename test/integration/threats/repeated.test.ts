import { describe, expect, test } from 'vitest';
import { sentIn, written } from '../../peers/vendors/repeated.ts';
import { refusal, type VendorAnswer } from '../../peers/vendors/vendor.ts';
import { type Attack, CANARIES, type Parties, ThreatWorld } from '../../peers/worlds/threats/threat-world.ts';

/** Servers that repeat what they are sent, as debug pages do, in all places that the bridge quotes. */

const call = { name: 'echo', arguments: {} };
type Said = (request: Parameters<typeof sentIn>[0]) => string;

/** The server answers this method so, once it is shown a token. */
function answering(method: string, answer: (said: string) => VendorAnswer) {
  return (said: Said) =>
    (parties: Parties): Attack => ({
      server: {
        mcp: (rpc, request) =>
          rpc.method === method && parties.authority.issuedTo(request) !== undefined
            ? answer(said(request))
            : undefined,
      },
    });
}

/** The authorization server refuses so at one of its addresses. */
function refusing(place: 'token' | 'register', answer: (said: string) => VendorAnswer) {
  return (said: Said) => (): Attack => ({
    authority:
      place === 'token'
        ? { token: (_form, request) => answer(said(request)) }
        : { register: (_vendor, request) => answer(said(request)) },
  });
}

const latin = (text: string) => encodeURIComponent(text);
const places: [where: string, attack: (said: Said) => (parties: Parties) => Attack][] = [
  ['the page of an error', answering('tools/call', (body) => ({ status: 500, body }))],
  ['the page of a refusal', answering('tools/call', (body) => ({ status: 403, body }))],
  ['a page of status 200', answering('tools/call', (body) => ({ body }))],
  [
    'the message of an error without an id',
    answering('tools/call', (message) => ({
      status: 400,
      body: { jsonrpc: '2.0', error: { code: 1, message } },
    })),
  ],
  ['JSON that is no message', answering('tools/call', (text) => ({ body: { text } }))],
  [
    'the target of a redirect',
    answering('tools/call', (said) => ({
      status: 307,
      headers: { location: `https://other.example/?${latin(said)}` },
    })),
  ],
  [
    'a redirect of another method',
    answering('tools/call', (said) => ({ status: 302, headers: { location: `/?${latin(said)}` } })),
  ],
  [
    'a content type',
    answering('tools/call', (said) => ({ headers: { 'content-type': `${latin(said)}/x` }, body: 'x' })),
  ],
  [
    'a content coding',
    answering('tools/call', (said) => ({ headers: { 'content-encoding': latin(said) }, body: {} })),
  ],
  [
    'an event that is no message',
    answering('tools/call', (said) => ({
      headers: { 'content-type': 'text/event-stream' },
      body: `data: {"text":${JSON.stringify(said)}}\n\n`,
    })),
  ],
  ['initialize, a page', answering('initialize', (body) => ({ body }))],
  ['initialize, a refusal', answering('initialize', (body) => ({ status: 422, body }))],
  ['initialize, JSON that is no answer', answering('initialize', (text) => ({ body: { text } }))],
  [
    'initialize, an error under no id',
    answering('initialize', (message) => ({
      status: 422,
      body: { jsonrpc: '2.0', error: { code: 1, message } },
    })),
  ],
  [
    'the challenge to a token that was just issued',
    answering('initialize', (said) => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer error="invalid_token", error_description="${latin(said)}"` },
    })),
  ],
  [
    'the challenge of a missing scope',
    answering('initialize', (said) => ({
      status: 403,
      headers: {
        'www-authenticate': `Bearer error="insufficient_scope", error_description="${latin(said)}"`,
      },
    })),
  ],
  ['the description of the token endpoint', refusing('token', (said) => refusal('invalid_request', said))],
  ['a page of the token endpoint', refusing('token', (body) => ({ status: 500, body }))],
  ['a message of the token endpoint', refusing('token', (message) => ({ status: 400, body: { message } }))],
  ['the refusal of the registration', refusing('register', (said) => refusal('invalid_redirect_uri', said))],
];

describe.concurrent.each(places)('%s', (_, attack) => {
  test.each([0, 1, 2, 3, 4, 5])('order and spelling: %i', async (way) => {
    await using world = await ThreatWorld.create(attack((request) => written(sentIn(request, way), 2 * way)));
    const tools = await world.bridge.tools();
    if (Array.isArray(tools)) await world.bridge.bridge.request(1, 'tools/call', call);
    await Promise.all(world.bridge.signIns);
    expect(world.oracle.leaks()).toEqual([]);
    expect(world.told.length).toBeGreaterThan(0);
  });
});

test('a repeated secret is removed from the text for the host, and only that', async () => {
  const attack = answering('tools/call', (said) => ({ status: 500, body: `you sent: ${said}` }));
  await using world = await ThreatWorld.create(attack((request) => sentIn(request, 0)));
  await world.bridge.tools();
  const { error } = (await world.bridge.bridge.request(1, 'tools/call', call)).json;
  expect(JSON.stringify(error)).toContain(
    'you sent: Bearer [redacted] | [redacted] | [redacted]; balancer=[redacted] | [redacted] | /mcp?[redacted] | {',
  );
});

test('a response of the server itself passes unchanged', async () => {
  const text = `your key is ${CANARIES.header}`;
  const attack = answering('tools/call', () => ({
    body: { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } },
  }));
  await using world = await ThreatWorld.create(attack(() => ''));
  await world.bridge.tools();
  const { result } = (await world.bridge.bridge.request(1, 'tools/call', call)).json;
  expect(result).toEqual({ content: [{ type: 'text', text }] });
  expect(world.oracle.leaks()).toEqual(['header at stdout']);
});
