import { describe, expect, test } from 'vitest';
import type { Vendor } from '../../peers/vendors/vendor.ts';
import { type Attack, type Parties, ThreatWorld } from '../../peers/worlds/threats/threat-world.ts';

/** .github/SECURITY.md, attack 13: whatever is asked for is somewhere else now, where a stranger would serve it. The first row is the control. */

const RESOURCE = '/.well-known/oauth-protected-resource/mcp';
const METADATA = '/.well-known/oauth-authorization-server';
const call = { name: 'echo', arguments: {} };

interface Row {
  readonly what: string;
  readonly path: string;
  readonly of: 'server' | 'authority';
  readonly method?: string;
  /** Requests that are let through first: what is attacked comes later. */
  readonly after?: number;
  readonly args?: readonly string[];
  /** Redirects that keep to the origin are followed. */
  readonly within: 'followed' | 'refused';
}

const rows: Row[] = [
  { what: 'the resource metadata', path: RESOURCE, of: 'server', within: 'followed' },
  { what: 'the metadata of the authorization server', path: METADATA, of: 'authority', within: 'followed' },
  { what: 'the registration', path: '/register', of: 'authority', within: 'refused' },
  { what: 'the pushed request', path: '/push', of: 'authority', within: 'refused' },
  { what: 'the code exchange', path: '/token', of: 'authority', within: 'refused' },
  { what: 'the refresh', path: '/token', of: 'authority', after: 1, within: 'refused' },
  { what: 'the revocation', path: '/revoke', of: 'authority', within: 'refused' },
  {
    what: 'the device code',
    path: '/device',
    of: 'authority',
    args: ['--grant', 'device_code'],
    within: 'refused',
  },
  { what: 'the first MCP POST', path: '/mcp', of: 'server', method: 'POST', within: 'followed' },
  {
    what: 'an MCP POST with the token',
    path: '/mcp',
    of: 'server',
    method: 'POST',
    after: 4,
    within: 'followed',
  },
  { what: 'the MCP GET', path: '/mcp', of: 'server', method: 'GET', within: 'followed' },
  { what: 'the MCP DELETE', path: '/mcp', of: 'server', method: 'DELETE', within: 'refused' },
];

/** Redirects what the row names, to the same path at `target`, or away from it at the same origin. */
function redirected(
  { of, path, method, after = 0 }: Row,
  status: number,
  target?: (parties: Parties) => Vendor,
) {
  return (parties: Parties): Attack => {
    let left = after;
    const habits = {
      metadata: () => (path === '/push' ? { require_pushed_authorization_requests: true } : {}),
      any: (seen: { path: string; method: string }) => {
        if (seen.path !== path || (method !== undefined && seen.method !== method) || left-- > 0)
          return undefined;
        const location = target === undefined ? `${path}/moved` : `${target(parties).origin}${path}`;
        return { status, headers: { location } };
      },
    };
    return { [of]: habits };
  };
}

/** A sign-in, a call, a refresh, a call, a logout and the end: everything that is ever asked for. */
async function everything(world: ThreatWorld): Promise<string[]> {
  const { bridge } = world.bridge;
  const listed = await world.bridge.tools();
  const said = [JSON.stringify(listed)];
  // Nobody is signed in: a call would wait for the person, who is not asked again for a while.
  if (!Array.isArray(listed)) {
    await bridge.end();
    return said;
  }
  said.push((await bridge.request(1, 'tools/call', call)).line);
  world.authority.forgetAccessTokens();
  said.push((await bridge.request(2, 'tools/call', call)).line);
  await world.bridge.logout();
  await bridge.end();
  return said;
}

describe.concurrent('SECURITY.md, attack 13: redirects', () => {
  test('without redirects, as a control: everything is served and requested', async () => {
    await using world = await ThreatWorld.create();
    const [tools, ...calls] = await everything(world);
    expect(tools).toBe('["echo"]');
    for (const line of calls) expect(line).toContain('called');
    for (const { path, of } of rows.filter(({ path }) => path !== '/push' && path !== '/device')) {
      expect(`${path} ${world[of].to(path).length > 0}`).toBe(`${path} true`);
    }
    expect(world.oracle.leaks()).toEqual([]);
    expect(world.stranger.connections).toBe(0);
  });

  const table = rows.flatMap((row) => [302, 307, 308].map((status) => ({ ...row, status })));
  test.each(table)('$what with $status: the stranger sees nothing', async (row) => {
    const attack = redirected(row, row.status, ({ stranger }) => stranger);
    await using world = await ThreatWorld.create(attack, row.args);
    await everything(world);
    const asked = world[row.of].to(row.path, row.method);
    expect(asked.length).toBeGreaterThan(row.after ?? 0);
    expect(world.stranger.connections).toBe(0);
    expect(world.oracle.leaks()).toEqual([]);
  });

  test.each(rows.filter(({ within }) => within === 'refused'))(
    '$what: nor is another place at the same origin asked',
    async (row) => {
      await using world = await ThreatWorld.create(redirected(row, 307), row.args);
      await everything(world);
      expect(world[row.of].to(row.path, row.method).length).toBeGreaterThan(row.after ?? 0);
      expect(world[row.of].to(`${row.path}/moved`)).toEqual([]);
      expect(world.oracle.leaks()).toEqual([]);
    },
  );
});
