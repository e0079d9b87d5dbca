import { expect, it } from 'vitest';
import { refusal, type VendorAnswer, type VendorHabits } from '../../../peers/vendors/vendor.ts';
import { createVendorWorld } from '../../../peers/worlds/vendor-world.ts';

/** A server that takes authorization requests at `/par` alone, for what oidc-provider (interop-oidc-provider.test.ts) does not do. */
function habits(answer?: VendorAnswer): VendorHabits {
  const pushed = new Map<string, URLSearchParams>();
  return {
    metadata: (vendor) => ({
      pushed_authorization_request_endpoint: `${vendor.origin}/par`,
      require_pushed_authorization_requests: true,
    }),
    other: (request) => {
      if (request.path !== '/par') return undefined;
      if (answer !== undefined) return answer;
      const reference = `urn:ietf:params:oauth:request_uri:${pushed.size}`;
      pushed.set(reference, new URLSearchParams(request.body));
      return { status: 201, body: { request_uri: reference, expires_in: 60 } };
    },
    authorize: (query, vendor) => {
      const request = pushed.get(query.get('request_uri') ?? '');
      if (request === undefined || request.get('client_id') !== query.get('client_id'))
        return { status: 400 };
      return vendor.sendBack(request);
    },
  };
}

it('authenticates with its secret as at the token endpoint', async () => {
  const args = ['--client-id', 'c', '--client-secret', 'hush-hush'];
  await using world = await createVendorWorld(habits(), args);
  expect(await world.tools()).toEqual(['echo']);
  expect(world.vendor.to('/par')[0]?.headers.authorization).toMatch(/^Basic /);
  expect(world.opened.join()).not.toContain('hush');
});

it.each<[string, VendorAnswer, string]>([
  ['a refusal', refusal('invalid_request', 'no hush-hush'), 'invalid_request'],
  ['no reference', { status: 201, body: {} }, 'reference'],
  ['a reference with a line break', { status: 201, body: { request_uri: 'urn:x\r\ny' } }, 'reference'],
])('%s: said, and no browser is opened', async (_name, answer, message) => {
  await using world = await createVendorWorld(habits(answer), [
    '--client-id',
    'c',
    '--client-secret',
    'hush-hush',
  ]);
  const failure = JSON.stringify(await world.tools());
  expect(failure).toContain(message);
  expect(failure).not.toContain('hush');
  expect(world.opened).toEqual([]);
});
