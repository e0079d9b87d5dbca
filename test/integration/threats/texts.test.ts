import { describe, expect, test } from 'vitest';
import { refusal } from '../../peers/vendors/vendor.ts';
import { type Attack, type Parties, ThreatWorld } from '../../peers/worlds/threats/threat-world.ts';

/** .github/SECURITY.md, attack 24: what a server says is shown to people: in a host's window, on a terminal, in a log. Never so that it does something there. */

const HOSTILE = `\u001b[2J\u001b]0;owned\u0007 line\r\nmcp-drawbridge: all is well \u202egnorw\u2066 \u0000\u009b31m ${'long '.repeat(2_000)}`;
const TAME = 'a plain word';
const call = { name: 'echo', arguments: {} };

/** Where a server's words are shown, with words that a test chooses. */
const places: [where: string, attack: (said: string) => (parties: Parties) => Attack][] = [
  [
    'the refusal of the registration',
    (said) => () => ({ authority: { register: () => refusal('invalid_client_metadata', said) } }),
  ],
  [
    'the error of the token endpoint',
    (said) => () => ({ authority: { token: () => refusal('invalid_request', said) } }),
  ],
  ['its code', (said) => () => ({ authority: { token: () => refusal(said) } })],
  [
    'its answer in another shape',
    (said) => () => ({ authority: { token: () => ({ status: 500, body: { message: said } }) } }),
  ],
  [
    'the error that the browser brings',
    (said) => () => ({
      authority: {
        authorize: (query) => {
          const back = new URL(query.get('redirect_uri') ?? '');
          const state = query.get('state') ?? '';
          back.search = new URLSearchParams({
            state,
            error: 'server_error',
            error_description: said,
          }).toString();
          return { status: 302, headers: { location: back.href } };
        },
      },
    }),
  ],
  ['an issuer', (said) => () => ({ authority: { metadata: () => ({ issuer: said }) } })],
  ['an address', (said) => () => ({ authority: { metadata: () => ({ token_endpoint: said }) } })],
  ['the resource', (said) => () => ({ server: { resourceMetadata: () => ({ resource: said }) } })],
  [
    'a refused call',
    (said) => (parties) => ({
      server: {
        mcp: (rpc, request) =>
          rpc.method === 'tools/call' && parties.authority.issuedTo(request) !== undefined
            ? { status: 403, body: said }
            : undefined,
      },
    }),
  ],
  [
    'a call that is answered with a page',
    (said) => (parties) => ({
      server: {
        mcp: (rpc, request) =>
          rpc.method === 'tools/call' && parties.authority.issuedTo(request) !== undefined
            ? { body: said }
            : undefined,
      },
    }),
  ],
  [
    'an id that nobody asked for',
    (said) => (parties) => ({
      server: {
        mcp: (rpc, request) =>
          rpc.method === 'tools/call' && parties.authority.issuedTo(request) !== undefined
            ? { body: { jsonrpc: '2.0', id: said, result: {} } }
            : undefined,
      },
    }),
  ],
];

/** An error's message as the host gets it, once more taken out of its JSON. */
function messageOf(answer: unknown): string {
  const { message = '' } = (answer ?? {}) as { message?: string };
  return message;
}

describe.concurrent.each(places)('SECURITY.md, attack 24: %s', (_, attack) => {
  test.each([
    ['plain words, as a control', TAME],
    ['control characters, bidi marks, and no end', HOSTILE],
  ])('%s', async (_name, said) => {
    await using world = await ThreatWorld.create(attack(said));
    const outcome = await world.bridge.tools();
    const failure = Array.isArray(outcome)
      ? (await world.bridge.bridge.request(1, 'tools/call', call)).json.error
      : outcome;
    const message = messageOf(failure);
    expect(message).not.toBe('');
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(message.length).toBeLessThan(1_000);
    // One line each, and no byte that a terminal obeys; the line break at the end is ours.
    for (const line of world.told.split('\n')) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(world.told).not.toMatch(/^mcp-drawbridge: all is well/m);
    if (said === TAME) expect(`${message} ${world.told}`).toContain(TAME);
    expect(world.oracle.leaks()).toEqual([]);
  });
});
