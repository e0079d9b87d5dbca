import { describe, expect, it } from 'vitest';
import { readDeviceAuthorization } from '../../../../src/auth/grant/device-code.ts';
import { createAddressGuard } from '../../../../src/auth/http/address-policy.ts';
import { fastClock } from '../../../peers/net/fast-clock.ts';
import { refusal, type VendorAnswer, type VendorHabits } from '../../../peers/vendors/vendor.ts';
import { createVendorWorld } from '../../../peers/worlds/vendor-world.ts';

const args = ['--grant', 'device_code'];
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** A person who enters the code after so many polls; `polls` answers those before. */
function device(answers: readonly (VendorAnswer | 'yes')[], change: object = {}): VendorHabits {
  let polls = 0;
  return {
    metadata: (vendor) => ({
      device_authorization_endpoint: `${vendor.origin}/device`,
      authorization_endpoint: undefined,
      code_challenge_methods_supported: undefined,
    }),
    other: (request, vendor) =>
      request.path === '/device'
        ? {
            body: {
              device_code: 'device-secret',
              user_code: 'ABCD-EFGH',
              expires_in: 600,
              interval: 5,
              verification_uri: `${vendor.origin}/activate`,
              ...change,
            },
          }
        : undefined,
    token: (form, _request, vendor) => {
      if (form.get('grant_type') !== DEVICE_GRANT) return undefined;
      if (form.get('device_code') !== 'device-secret') return refusal('invalid_grant');
      const answer = answers[Math.min(polls++, answers.length - 1)];
      return answer === 'yes' || answer === undefined ? vendor.issue(form.get('scope') ?? undefined) : answer;
    },
  };
}

/** A second lasts 50 ms: a poll each 5 s is one each 250 ms. */
const SPEED = 20;
const gaps = (requests: readonly { readonly at: number }[]) =>
  requests.slice(1).map(({ at }, index) => (at - (requests[index]?.at ?? 0)) * SPEED);

const pending = refusal('authorization_pending');

describe('device_code', () => {
  it("shows the code and address, opens no browser, and polls at the server's interval", async () => {
    await using world = await createVendorWorld(
      device([pending, refusal('slow_down'), pending, 'yes']),
      args,
      { clock: fastClock(SPEED) },
    );
    expect(await world.tools()).toEqual(['echo']);
    expect(world.opened).toEqual([]);
    expect(world.vendor.to('/token')).toHaveLength(4);
    const [asked] = world.vendor.to('/device');
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      client_id: 'registered-client',
      resource: world.vendor.mcpUrl,
    });
    const registered = JSON.parse(world.vendor.to('/register')[0]?.body ?? '{}');
    expect(registered.grant_types).toContain(DEVICE_GRANT);
    expect((await world.record())?.tokens?.refreshToken).toBeDefined();
  });

  it('never polls faster than every 5 s, whatever the server says, and slows down on slow_down', async () => {
    const answers = [pending, refusal('slow_down'), 'yes'] as const;
    await using world = await createVendorWorld(device(answers, { interval: 0 }), args, {
      clock: fastClock(SPEED),
    });
    expect(await world.tools()).toEqual(['echo']);
    const [first = 0, second = 0] = gaps(world.vendor.to('/token'));
    // Timers of the two processes' clocks differ by milliseconds, which count twenty times here.
    expect(first).toBeGreaterThan(4_500);
    expect(second).toBeGreaterThan(9_500);
  });

  it('shows the host the address and the code until the code is entered', async () => {
    await using world = await createVendorWorld(device([pending]), args);
    world.bridge.send({
      jsonrpc: '2.0',
      id: 'init',
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: { elicitation: { url: {} } }, clientInfo: {} },
    });
    await world.bridge.answer('init');
    world.bridge.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    world.bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const asked = await world.bridge.received.waitFor(({ json }) => json.method === 'elicitation/create');
    expect(asked.json.params.url).toBe(`${world.vendor.origin}/activate`);
    expect(asked.json.params.message).toContain('ABCD-EFGH');
    expect(asked.line).not.toContain('device-secret');
  });

  it('ends on an error that RFC 8628 does not define', async () => {
    const habits = device([refusal('invalid_grant')]);
    await using world = await createVendorWorld(habits, args, { clock: fastClock(SPEED) });
    expect(JSON.stringify(await world.tools())).toContain('invalid_grant');
    expect(world.vendor.to('/token')).toHaveLength(1);
  });

  it('stops polling once the code has expired', async () => {
    const habits = device([pending], { expires_in: 12 });
    await using world = await createVendorWorld(habits, args, { clock: fastClock(SPEED) });
    expect(JSON.stringify(await world.tools())).toContain('not entered in time');
    expect(world.vendor.to('/token')).toHaveLength(2);
  });

  it('reports a server without device authorization, and says how to sign in instead', async () => {
    await using world = await createVendorWorld({}, args);
    expect(JSON.stringify(await world.tools())).toContain('--grant device_code');
  });
});

describe('the response of the device authorization endpoint', () => {
  const server = new URL('https://mcp.example/mcp');
  const policy = { server, allowHttp: false, addresses: createAddressGuard(server) };
  const good = {
    device_code: 'd',
    user_code: 'ABCD',
    verification_uri: 'https://as.example/d',
    expires_in: 60,
  };
  const read = (change: object) =>
    readDeviceAuthorization(JSON.stringify({ ...good, ...change }), { policy });

  it.each([
    '--help',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'http://as.example/',
    'https://u:p@as.example/',
  ])('refuses the address %s', (address) => {
    expect(() => read({ verification_uri: address })).toThrow();
    expect(() => read({ verification_uri_complete: address })).toThrow();
  });

  it.each([
    ['a code with control characters', { user_code: 'A\u001b[2J' }],
    ['a code that is a page', { user_code: 'x'.repeat(65) }],
    ['no device code', { device_code: undefined }],
    ['no address', { verification_uri: undefined }],
  ])('refuses %s', (_name, change) => {
    expect(read(change)).toBeUndefined();
  });

  it('clamps numbers to their limits', () => {
    expect(read({ interval: 0, expires_in: 1e99 })).toMatchObject({ intervalS: 5, lifetimeS: 900 });
    expect(read({ interval: 'x', expires_in: undefined })).toMatchObject({ intervalS: 5, lifetimeS: 900 });
    expect(read({ interval: 9_999 })).toMatchObject({ intervalS: 60 });
  });
});
