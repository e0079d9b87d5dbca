import { describe, expect, test } from 'vitest';
import { fastClock } from '../../peers/net/fast-clock.ts';
import { refusal, type VendorAnswer } from '../../peers/vendors/vendor.ts';
import { expectKept } from '../../peers/worlds/threats/expect-kept.ts';
import {
  type Attack,
  behave,
  CANARIES,
  deviceAnswer,
  type Parties,
  ThreatWorld,
} from '../../peers/worlds/threats/threat-world.ts';

/**
 * .github/SECURITY.md, attacks 1, 3, 9, 10, 12, 14 and 18 end to end: an MCP server, its authorization server and a stranger, each at its own origin; an attack is what one of
 * them does differently. In each the canary oracle is asked, and each has its control: the same world without the attack.
 */

const DEVICE = ['--grant', 'device_code'];
const call = { name: 'echo', arguments: {} };

async function served(world: ThreatWorld): Promise<void> {
  expect(await world.bridge.tools()).toEqual(['echo']);
  expectKept(world);
}

describe('the control: no attack', () => {
  test('a sign-in, a refresh and a logout: each secret at its own origin, all of them seen there (SECURITY.md, attack 14)', async () => {
    await using world = await ThreatWorld.create();
    await served(world);
    expect(world.bridge.opened).toHaveLength(1);
    world.authority.forgetAccessTokens();
    expect((await world.bridge.bridge.request(1, 'tools/call', call)).json.result).toBeDefined();
    expect((await world.bridge.logout()).outcome).toBe('done');
    expectKept(world);
    expect(world.authority.to('/revoke')).toHaveLength(2);
    const known = ['header', 'cookie', 'query', 'session', 'stickiness', 'clientSecret', 'refresh', 'code'];
    expect(world.oracle.seenAtHome().sort()).toEqual([...known, 'access', 'verifier'].sort());
  });

  test('device code: no browser, and the same', async () => {
    await using world = await ThreatWorld.create(undefined, DEVICE, { clock: fastClock(50) });
    await served(world);
    expect(world.bridge.opened).toEqual([]);
    expect(world.oracle.seenAtHome()).toContain('deviceCode');
  });

  test('the oracle itself finds misplaced secrets in any spelling', async () => {
    await using world = await ThreatWorld.create();
    const basic = Buffer.from(`me:${CANARIES.clientSecret}:`).toString('base64');
    for (const body of [CANARIES.header, JSON.stringify({ a: CANARIES.cookie }), basic]) {
      await fetch(world.stranger.mcpUrl, { method: 'PUT', body });
    }
    expect(world.oracle.leaks()).toEqual([
      'header at the stranger',
      'cookie at the stranger',
      'clientSecret at the stranger',
    ]);
  });
});

describe.concurrent('SECURITY.md, attacks 1, 3, 12: addresses that may not be opened', () => {
  const corpus: [address: string, fault: string][] = [
    ['javascript:alert(1)', 'is not https'],
    ['JaVaScRiPt:alert(1)', 'is not https'],
    ['javascript://as.example/%0aalert(1)', 'is not https'],
    ['file:///etc/passwd', 'is not https'],
    ['data:text/html,<script>alert(1)</script>', 'is not https'],
    ['vbscript:msgbox', 'is not https'],
    ['ms-settings:privacy', 'is not https'],
    ['vscode://file/etc/passwd', 'is not https'],
    ['smb://as.example/share', 'is not https'],
    ['ftp://as.example/', 'is not https'],
    ['ws://as.example/', 'is not https'],
    ['view-source:https://as.example/', 'is not https'],
    ['blob:https://as.example/1', 'is not https'],
    ['http://as.example/authorize', 'http is for loopback'],
    ['http://127.0.0.1.evil.example/', 'http is for loopback'],
    ['https://user:secret@as.example/', 'user information'],
    ['https://as.example/\u001b[2J', 'control'],
    ['https://as.example/#fragment', 'fragment'],
    ['--help', 'is not an absolute URL'],
    ['/authorize', 'is not an absolute URL'],
  ];

  test.each(corpus)('authorization_endpoint %j: %s', async (address, fault) => {
    await using world = await ThreatWorld.create(() => ({
      authority: { metadata: () => ({ authorization_endpoint: address }) },
    }));
    expect(await world.refusal()).toContain(fault);
    expect(world.bridge.opened).toEqual([]);
    expect(world.authority.requests.count(({ method }) => method === 'POST')).toBe(0);
    expectKept(world);
  });

  test.each([...corpus.slice(3, 5), ...corpus.slice(13, 18), ...corpus.slice(-2)])(
    'verification_uri %j: %s',
    async (address, fault) => {
      for (const name of ['verification_uri', 'verification_uri_complete']) {
        const device = ({ path }: { path: string }, { origin }: { origin: string }) =>
          path === '/device' ? { body: { ...deviceAnswer(origin), [name]: address } } : undefined;
        await using world = await ThreatWorld.create(() => ({ authority: { other: device } }), DEVICE);
        expect(await world.refusal()).toContain(fault);
        expect(world.bridge.opened).toEqual([]);
        expect(world.told).not.toContain('enter the code');
        expect(world.authority.tokenForms).toEqual([]);
        expectKept(world);
      }
    },
  );

  test.each(['token_endpoint', 'registration_endpoint'])('%s over http', async (name) => {
    await using world = await ThreatWorld.create(() => ({
      authority: { metadata: () => ({ [name]: 'http://as.example/x' }) },
    }));
    expect(await world.refusal()).toContain('http is for loopback');
    expect(world.bridge.opened).toEqual([]);
    expectKept(world);
  });
});

describe.concurrent('SECURITY.md, attack 9: the metadata swaps the authorization server in mid-run', () => {
  /** From now on the server names the stranger, and takes its tokens only. */
  const swapped = ({ server, stranger }: Parties): Attack => ({
    server: {
      resourceMetadata: () => ({ authorization_servers: [stranger.origin] }),
      mcp: (rpc, seen) =>
        stranger.issuedTo(seen) === undefined ? server.unauthorized() : server.answer(rpc),
    },
  });

  test.each<[string, (parties: Parties) => Attack]>([
    ['the old one goes on issuing', swapped],
    [
      'the old one refuses',
      (parties) => ({
        ...swapped(parties),
        authority: {
          token: (form) =>
            form.get('grant_type') === 'refresh_token' ? refusal('invalid_grant') : undefined,
        },
      }),
    ],
  ])('%s: a fresh sign-in there, and nothing of the old one', async (_, attack) => {
    await using world = await ThreatWorld.create();
    await served(world);
    behave(world, attack(world));
    const { json } = await world.bridge.bridge.request(1, 'tools/call', call);
    expect(json.result.content[0].text).toBe('called');
    expect(world.oracle.leaks()).toEqual([]);
    expect(world.stranger.to('/register')).toHaveLength(1);
    expect(world.bridge.opened).toHaveLength(2);
    expect(world.bridge.opened[1]).toContain(world.stranger.origin);
    expect((await world.bridge.record())?.issuer).toBe(world.stranger.origin);
    // Another swap, while nothing was accepted in between, sends nobody around.
    expect((await world.bridge.bridge.request(2, 'tools/call', call)).json.result).toBeDefined();
    expect(world.bridge.opened).toHaveLength(2);
  });

  test('a server that names another one and accepts no token: one more tab, then an error', async () => {
    await using world = await ThreatWorld.create();
    await served(world);
    const { server, stranger, authority } = world;
    let isStranger = true;
    behave(world, {
      server: {
        resourceMetadata: () => {
          isStranger = !isStranger;
          return { authorization_servers: [isStranger ? authority.origin : stranger.origin] };
        },
        mcp: () => server.unauthorized(),
      },
    });
    for (const id of [1, 2, 3]) {
      const { json } = await world.bridge.bridge.request(id, 'tools/call', call);
      expect(json.error.message).toContain('has just issued for it');
    }
    expect(world.bridge.opened).toHaveLength(2);
    expect(world.oracle.leaks()).toEqual([]);
  });
});

test.concurrent.each([
  ['taken away', undefined, []],
  ['plain only', ['plain'], []],
  ['plain only, and the person assumes', ['plain'], ['--assume-pkce']],
])('SECURITY.md, attack 10: PKCE %s', async (_, methods, args) => {
  const metadata = () => ({ code_challenge_methods_supported: methods });
  await using world = await ThreatWorld.create(() => ({ authority: { metadata } }), args);
  expect(await world.refusal()).toContain('PKCE');
  expect(world.bridge.opened).toEqual([]);
  expect(world.authority.requests.count(({ method }) => method === 'POST')).toBe(0);
  expectKept(world);
});

describe('SECURITY.md, attack 18: names of the prototype', () => {
  const POISON = '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';
  const poisoned = ({ body, ...rest }: VendorAnswer): VendorAnswer => ({
    ...rest,
    headers: { 'content-type': 'application/json', ...rest.headers },
    body: JSON.stringify(body).replace(/^\{/, `{${POISON},`),
  });

  test('in every document and message: all is served, and Object.prototype is unchanged', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    await using world = await ThreatWorld.create(({ server, authority }) => ({
      server: {
        mcp: (rpc, request) =>
          authority.issuedTo(request) === undefined || rpc.id === undefined
            ? undefined
            : poisoned(server.answer(rpc)),
        any: ({ path }) =>
          path.includes('/oauth-protected-resource')
            ? poisoned({ body: { resource: server.mcpUrl, authorization_servers: [authority.origin] } })
            : undefined,
      },
      authority: {
        register: () => poisoned({ status: 201, body: { client_id: 'registered-client' } }),
        token: (form) =>
          form.get('grant_type') === 'refresh_token' ? poisoned(authority.issue()) : undefined,
      },
    }));
    await served(world);
    world.authority.forgetAccessTokens();
    const { json } = await world.bridge.bridge.request(1, 'tools/call', call);
    expect(json.result).toBeDefined();
    world.bridge.bridge.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{${POISON}},${POISON}}`);
    expect((await world.bridge.bridge.answer(2)).json.result.tools).toHaveLength(1);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expectKept(world);
  });
});
