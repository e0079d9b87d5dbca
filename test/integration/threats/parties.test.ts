import { describe, expect, test } from 'vitest';
import { type Attack, type Parties, ThreatWorld } from '../../peers/worlds/threats/threat-world.ts';

/** .github/SECURITY.md, attacks 6–8 and 23 end to end: somebody passes for another, or is never content. The first row of each table is its control. */

const call = { name: 'echo', arguments: {} };
type Row = [name: string, attack: (parties: Parties) => Attack, said: string | undefined];

/** Served, or refused with these words before anything was posted that holds a secret. */
async function expectOutcome(world: ThreatWorld, said: string | undefined, opened: number): Promise<void> {
  if (said === undefined) expect(await world.bridge.tools()).toEqual(['echo']);
  else expect(await world.refusal()).toContain(said);
  expect(world.bridge.opened).toHaveLength(said === undefined ? 1 : opened);
  expect(world.authority.to('/token')).toHaveLength(said === undefined ? 1 : 0);
  expect(world.stranger.connections).toBe(0);
  expect(world.oracle.leaks()).toEqual([]);
}

describe.concurrent('SECURITY.md, attack 6: the issuer in the metadata', () => {
  const named = (change: (issuer: string) => string) => () => ({
    authority: { metadata: ({ origin }: { origin: string }) => ({ issuer: change(origin) }) },
  });
  test.each<Row>([
    ['is the issuer that was asked for, as a control', named((issuer) => issuer), undefined],
    ['has a slash more', named((issuer) => `${issuer}/`), 'names the issuer'],
    ['differs in case', named((issuer) => issuer.replace('http', 'HTTP')), 'names the issuer'],
    ['has another port', named((issuer) => issuer.replace(/\d+$/, '1')), 'names the issuer'],
    ['has another name', named((issuer) => issuer.replace('127.0.0.1', 'localhost')), 'names the issuer'],
  ])('%s', async (_, attack, said) => {
    await using world = await ThreatWorld.create(attack);
    await expectOutcome(world, said, 0);
    expect(world.authority.requests.count(({ method }) => method === 'POST') > 0).toBe(said === undefined);
  });
});

describe.concurrent('SECURITY.md, attack 7: a response that names its issuer', () => {
  const from = (iss: (parties: Parties) => string | undefined) => (parties: Parties) => ({
    authority: {
      metadata: () => ({ authorization_response_iss_parameter_supported: true }),
      authorize: (query: URLSearchParams) => {
        const issuer = iss(parties);
        return parties.authority.sendBack(query, issuer === undefined ? {} : { iss: issuer });
      },
    },
  });
  test.each<Row>([
    ['the server that was asked, as a control', from(({ authority }) => authority.origin), undefined],
    ['a stranger', from(({ stranger }) => stranger.origin), 'the answer to the sign-in at'],
    ['a slash more', from(({ authority }) => `${authority.origin}/`), 'the answer to the sign-in at'],
    ['nobody, though it was promised', from(() => undefined), 'the answer to the sign-in at'],
  ])('%s', async (_, attack, said) => {
    await using world = await ThreatWorld.create(attack);
    await expectOutcome(world, said, 1);
  });
});

describe.concurrent('SECURITY.md, attack 8: metadata that is for', () => {
  const resource = (of: (parties: Parties) => string) => (parties: Parties) => ({
    server: { resourceMetadata: () => ({ resource: of(parties) }) },
  });
  test.each<Row>([
    ['this server, as a control', resource(({ server }) => server.mcpUrl), undefined],
    ['its origin, as a control', resource(({ server }) => server.origin), undefined],
    ['a stranger', resource(({ stranger }) => stranger.mcpUrl), 'is for the resource'],
    ['another path', resource(({ server }) => `${server.origin}/other`), 'is for the resource'],
    ['a path that begins alike', resource(({ server }) => `${server.origin}/mc`), 'is for the resource'],
  ])('%s', async (_, attack, said) => {
    await using world = await ThreatWorld.create(attack);
    await expectOutcome(world, said, 0);
    expect(world.authority.connections > 0).toBe(said === undefined);
  });
});

test.each([
  ['content after one consent, as a control', 1, undefined],
  ['never content', Number.POSITIVE_INFINITY, '3 times in ten minutes'],
])('SECURITY.md, attack 23: a server that asks for more scope, %s', async (_, refusals, said) => {
  let refused = 0;
  await using world = await ThreatWorld.create((parties) => ({
    server: {
      mcp: (rpc, request) => {
        if (rpc.method !== 'tools/call' || parties.authority.issuedTo(request) === undefined)
          return undefined;
        if (refused++ >= refusals) return undefined;
        return {
          status: 403,
          headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="more"' },
        };
      },
    },
    authority: {
      // It never tells what it granted, so that only counting helps.
      token: (form) =>
        form.get('grant_type') === 'authorization_code' ? parties.authority.issue() : undefined,
    },
  }));
  expect(await world.bridge.tools()).toEqual(['echo']);
  const answers = [];
  for (const id of [1, 2, 3]) answers.push((await world.bridge.bridge.request(id, 'tools/call', call)).json);
  if (said === undefined)
    expect(answers.map(({ result }) => result?.content[0].text)).toEqual(Array(3).fill('called'));
  else expect(answers[2].error.message).toContain(said);
  expect(world.bridge.opened).toHaveLength(1 + (said === undefined ? 1 : 3));
  expect(world.oracle.leaks()).toEqual([]);
  expect(world.stranger.connections).toBe(0);
});
