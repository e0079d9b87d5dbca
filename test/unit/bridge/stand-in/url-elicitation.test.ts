import { describe, expect, test } from 'vitest';
import { type HostView, UrlElicitation } from '../../../../src/bridge/stand-in/url-elicitation.ts';
import type { HostWriter } from '../../../../src/host/writer.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import type { MessageId } from '../../../../src/protocol/message-id.ts';

const ADDRESS = 'https://as.example/authorize?x=1';
const able = { capabilities: { elicitation: { url: {} } } };

function setUp(view: Partial<HostView> = {}) {
  const host = { params: able, initialized: true, waiting: true, ...view };
  const written: { id?: string; method: string; params: Record<string, string> }[] = [];
  const writer: HostWriter = {
    write: (message) => void written.push(JSON.parse(message.toString())),
    untilReady: () => undefined,
    flushed: async () => {},
    pendingBytes: 0,
  };
  const elicitation = new UrlElicitation(writer, systemRandom, () => host);
  return { host, written, elicitation };
}

describe('the address of a sign-in is put to the host', () => {
  test('once, with one id for request and elicitation', () => {
    const { written, elicitation } = setUp();
    elicitation.setAddress(ADDRESS);
    elicitation.offer();
    elicitation.setAddress(ADDRESS);
    expect(written).toEqual([
      {
        jsonrpc: '2.0',
        id: expect.stringMatching(/^drawbridge-.{16}$/),
        method: 'elicitation/create',
        params: {
          mode: 'url',
          elicitationId: written[0]?.id,
          url: ADDRESS,
          message: 'Sign in to use this server.',
        },
      },
    ]);
  });

  test('with the code that is to be entered there', () => {
    const { written, elicitation } = setUp();
    elicitation.setAddress(ADDRESS, 'ABCD');
    expect(written[0]?.params.message).toBe('Sign in to use this server. The code to enter there: ABCD');
  });

  test('again for another address', () => {
    const { written, elicitation } = setUp();
    elicitation.setAddress(ADDRESS);
    elicitation.setAddress(`${ADDRESS}&y=2`);
    expect(written.map(({ params }) => params.url)).toEqual([ADDRESS, `${ADDRESS}&y=2`]);
    expect(written[0]?.id).not.toBe(written[1]?.id);
  });

  test.each<[string, Partial<HostView>]>([
    ['initialized', { initialized: false }],
    ['waiting for anything', { waiting: false }],
    ['able to show it', { params: {} }],
  ])('not to a host that is not %s, and later when it is', (_, view) => {
    const { host, written, elicitation } = setUp(view);
    elicitation.setAddress(ADDRESS);
    expect(written).toEqual([]);
    Object.assign(host, { initialized: true, waiting: true, params: able });
    elicitation.offer();
    expect(written.length).toBe(1);
  });

  test('not without an address', () => {
    const { written, elicitation } = setUp();
    elicitation.offer();
    expect(written).toEqual([]);
  });
});

describe('the end of a sign-in', () => {
  test('is told to the host that was shown the address, once', () => {
    const { written, elicitation } = setUp();
    elicitation.setAddress(ADDRESS);
    elicitation.complete();
    elicitation.complete();
    elicitation.offer();
    expect(written.slice(1)).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/elicitation/complete',
        params: { elicitationId: written[0]?.id },
      },
    ]);
  });

  test('is not told to one that was shown nothing', () => {
    const { written, elicitation } = setUp({ waiting: false });
    elicitation.complete();
    elicitation.setAddress(ADDRESS);
    elicitation.complete();
    expect(written).toEqual([]);
  });
});

test('an answer to the bridge is told from one to the server', () => {
  const { written, elicitation } = setUp();
  expect(elicitation.consumes('"drawbridge-x"' as MessageId)).toBe(false);
  elicitation.setAddress(ADDRESS);
  expect(elicitation.consumes(JSON.stringify(written[0]?.id) as MessageId)).toBe(true);
  expect(elicitation.consumes('"drawbridge-x"' as MessageId)).toBe(false);
  elicitation.complete();
  expect(elicitation.consumes(JSON.stringify(written[0]?.id) as MessageId)).toBe(true);
});

describe('the error of a call that needs a sign-in', () => {
  test('names the address to a host that cannot show it', () => {
    expect(setUp({ params: {} }).elicitation.errorFor(ADDRESS)).toEqual({
      code: -32_000,
      data: { address: ADDRESS },
    });
  });

  test('is an elicitation for one that can, the same as the one it was shown', () => {
    const { written, elicitation } = setUp();
    const fresh = elicitation.errorFor(ADDRESS);
    expect(fresh).toEqual({
      code: -32_042,
      data: {
        elicitations: [
          {
            mode: 'url',
            elicitationId: expect.stringMatching(/^drawbridge-/),
            url: ADDRESS,
            message: 'Sign in to use this server.',
          },
        ],
      },
    });
    elicitation.setAddress(ADDRESS, 'ABCD');
    expect(elicitation.errorFor(ADDRESS)).toMatchObject({
      data: {
        elicitations: [{ elicitationId: written[0]?.id, message: expect.stringContaining('ABCD') }],
      },
    });
  });
});
