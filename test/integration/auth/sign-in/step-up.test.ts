import { describe, expect, it } from 'vitest';
import type { VendorHabits } from '../../../peers/vendors/vendor.ts';
import { createVendorWorld } from '../../../peers/worlds/vendor-world.ts';

const call = { name: 'echo', arguments: {} };
const scopesOf = (query: URLSearchParams) => (query.get('scope') ?? '').split(' ').sort().join(' ');

/** Reading is granted at first; a call needs `write`. */
const habits = (needed: string, isContent: (scope: string) => boolean): VendorHabits => ({
  resourceMetadata: () => ({ scopes_supported: ['read'] }),
  mcp: (rpc, request, vendor) => {
    const issued = vendor.issuedTo(request);
    if (issued === undefined) return vendor.unauthorized();
    if (rpc.method !== 'tools/call' || isContent(issued.scope ?? '')) return undefined;
    const challenge = `Bearer error="insufficient_scope", scope="${needed}"`;
    return { status: 403, headers: { 'www-authenticate': challenge } };
  },
});
const calls = (world: Awaited<ReturnType<typeof createVendorWorld>>) =>
  world.vendor.to('/mcp', 'POST').filter(({ body }) => body.includes('"tools/call"')).length;

describe('403 for insufficient scope', () => {
  it('requests the union of scopes, once for all waiting calls, and runs each call once', async () => {
    await using world = await createVendorWorld(habits('write', (scope) => scope.includes('write')));
    expect(await world.tools()).toEqual(['echo']);
    const answers = await Promise.all([1, 2, 3].map((id) => world.bridge.request(id, 'tools/call', call)));
    expect(answers.map(({ json }) => json.result?.content[0].text)).toEqual(['called', 'called', 'called']);
    expect(world.opened).toHaveLength(2);
    expect(world.opened.map((address) => scopesOf(new URL(address).searchParams))).toEqual([
      'read',
      'read write',
    ]);
    const record = await world.record();
    expect(record?.requestedScope?.split(' ').sort()).toEqual(['read', 'write']);
    expect(record?.stepUps).toHaveLength(1);
    expect((await world.bridge.request(4, 'tools/call', call)).json.result).toBeDefined();
    expect(world.opened).toHaveLength(2);
  });

  it('a server that is never satisfied: the error says so, and granted scopes are not requested again', async () => {
    await using world = await createVendorWorld(habits('write', () => false));
    expect(await world.tools()).toEqual(['echo']);
    const { json } = await world.bridge.request(1, 'tools/call', call);
    expect(json.error.message).toContain('write');
    expect(world.opened).toHaveLength(2);
    expect(calls(world)).toBe(2);
  });

  it('a server that never says what it granted: 2 tabs for an operation, 3 in ten minutes', async () => {
    const { mcp, resourceMetadata } = habits('write', () => false);
    await using world = await createVendorWorld({
      mcp,
      resourceMetadata,
      token: (form, _request, vendor) =>
        form.get('grant_type') === 'authorization_code' ? vendor.issue() : undefined,
    } as VendorHabits);
    expect(await world.tools()).toEqual(['echo']);
    expect((await world.bridge.request(1, 'tools/call', call)).json.error).toBeDefined();
    expect(world.opened).toHaveLength(1 + 2);
    expect(calls(world)).toBe(3);
    expect((await world.bridge.request(2, 'tools/call', call)).json.error).toBeDefined();
    expect(world.opened).toHaveLength(1 + 3);
    const { json } = await world.bridge.request(3, 'tools/call', call);
    expect(json.error.message).toContain('3 times in ten minutes');
    expect(world.opened).toHaveLength(1 + 3);
  });

  it('an ordinary 403 causes no sign-in', async () => {
    await using world = await createVendorWorld({
      mcp: (rpc, request, vendor) =>
        rpc.method === 'tools/call' && vendor.issuedTo(request) !== undefined ? { status: 403 } : undefined,
    });
    expect(await world.tools()).toEqual(['echo']);
    expect((await world.bridge.request(1, 'tools/call', call)).json.error.message).toContain('403');
    expect(world.opened).toHaveLength(1);
  });
});

describe('a sign-in during a session', () => {
  it('a server that demands a sign-in only for a call: the call waits and then runs, once', async () => {
    await using world = await createVendorWorld({
      mcp: (rpc, request, vendor) => {
        if (rpc.method === 'tools/call' && vendor.issuedTo(request) === undefined)
          return vendor.unauthorized();
        return vendor.answer(rpc);
      },
    });
    expect(await world.tools()).toEqual(['echo']);
    expect(world.opened).toEqual([]);
    const { json } = await world.bridge.request(1, 'tools/call', call);
    expect(json.result.content[0].text).toBe('called');
    expect(world.opened).toHaveLength(1);
    expect(calls(world)).toBe(2);
    expect(world.vendor.to('/mcp', 'POST').filter(({ body }) => body.includes('"initialize"'))).toHaveLength(
      1,
    );
  });
});

describe('offline_access', () => {
  it.each<[string, object, readonly string[], string]>([
    [
      'is added where the authorization server lists it',
      { scopes_supported: ['read', 'offline_access'] },
      [],
      'offline_access read',
    ],
    ['is not where it does not', { scopes_supported: ['read'] }, [], 'read'],
    [
      'is not to a scope that the user set',
      { scopes_supported: ['offline_access'] },
      ['--scope', 'own'],
      'own',
    ],
  ])('%s', async (_name, metadata, args, expected) => {
    const resourceMetadata = () => ({ scopes_supported: ['read'] });
    await using world = await createVendorWorld(
      { resourceMetadata, metadata: () => ({ ...metadata }) },
      args,
    );
    expect(await world.tools()).toEqual(['echo']);
    expect(scopesOf(new URL(world.opened[0] ?? '').searchParams)).toBe(expected);
  });
});
