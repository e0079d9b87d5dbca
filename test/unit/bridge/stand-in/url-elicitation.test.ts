import { describe, expect, test } from 'vitest';
import { type HostView, UrlElicitation } from '../../../../src/bridge/stand-in/url-elicitation.ts';
import {
  BROWSER_HEAD_START_MS,
  BROWSER_LOOK_MS,
  REFUSED_BY_PROGRAM_MS,
} from '../../../../src/bridge/timing/limits.ts';
import type { HostWriter } from '../../../../src/host/writer.ts';
import { type Clock, systemClock } from '../../../../src/platform/clock.ts';
import { type Logger, silentLogger } from '../../../../src/platform/log/logger.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import type { MessageId } from '../../../../src/protocol/message-id.ts';

const ADDRESS = 'https://as.example/authorize?x=1';
const able = { capabilities: { elicitation: { url: {} } } };

const turn = () => new Promise((resolve) => setImmediate(resolve));

function setUp(view: Partial<HostView> = {}) {
  const host = { params: able, initialized: true, waiting: true, calling: false, ...view };
  let passedMs = 5_000;
  const sleeps: {
    readonly ms: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  const clock: Clock = {
    ...systemClock,
    monotonic: () => passedMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stop = () => reject(signal?.reason);
        signal?.addEventListener('abort', stop, { once: true });
        const pass = () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        sleeps.push({ ms, resolve: pass, reject });
      }),
  };
  const closing = new AbortController();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (event) => void warnings.push(event) };
  const written: { id?: string; method: string; params: Record<string, string> }[] = [];
  const writer: HostWriter = {
    write: (message) => void written.push(JSON.parse(message.toString())),
    untilReady: () => undefined,
    flushed: async () => {},
    pendingBytes: 0,
  };
  const elicitation = new UrlElicitation({
    writer,
    random: systemRandom,
    clock,
    logger,
    signal: closing.signal,
    host: () => host,
  });
  const setAddress = (address: string, userCode?: string) =>
    elicitation.setAddress({ address, userCode, browserOpened: () => false });
  /** The host's answer to the last request, so long after it. */
  const answer = (response: object, afterMs: number) => {
    passedMs += afterMs;
    return elicitation.takes(JSON.stringify(written.at(-1)?.id) as MessageId, {
      jsonrpc: '2.0',
      ...response,
    });
  };
  /** The host makes a tool call. */
  const call = () => {
    host.calling = true;
    elicitation.called();
  };
  const browser = { isOpened: true };
  /** The sign-in has opened a browser with this address. */
  const openBrowser = (address: string) =>
    elicitation.setAddress({ address, userCode: undefined, browserOpened: () => browser.isOpened });
  /** The pause that is waited for now passes; `ms`: how long all pauses were up to now. */
  const pass = async () => {
    const sleep = sleeps.shift();
    passedMs += sleep?.ms ?? 0;
    sleep?.resolve();
    await turn();
  };
  const elapsedMs = () => passedMs - 5_000;
  const controls = { browser, openBrowser, pass, elapsedMs, sleeps, closing, warnings };
  return { host, written, elicitation, setAddress, answer, call, ...controls };
}

describe('the address of a sign-in is sent to the host', () => {
  test('once, with one id for request and elicitation', () => {
    const { written, elicitation, setAddress } = setUp();
    setAddress(ADDRESS);
    elicitation.offer();
    setAddress(ADDRESS);
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

  test('with the code to enter there', () => {
    const { written, setAddress } = setUp();
    setAddress(ADDRESS, 'ABCD');
    expect(written[0]?.params.message).toBe('Sign in to use this server. The code to enter there: ABCD');
  });

  test('again for a new address', () => {
    const { written, setAddress } = setUp();
    setAddress(ADDRESS);
    setAddress(`${ADDRESS}&y=2`);
    expect(written.map(({ params }) => params.url)).toEqual([ADDRESS, `${ADDRESS}&y=2`]);
    expect(written[0]?.id).not.toBe(written[1]?.id);
  });

  test.each<[string, Partial<HostView>]>([
    ['initialized', { initialized: false }],
    ['waiting for anything', { waiting: false }],
    ['able to show it', { params: {} }],
  ])('not to a host that is not %s, and later when it is', (_, view) => {
    const { host, written, elicitation, setAddress } = setUp(view);
    setAddress(ADDRESS);
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
  test('is reported once to the host that was shown the address', () => {
    const { written, elicitation, setAddress } = setUp();
    setAddress(ADDRESS);
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

  test('is not reported to a host that was shown nothing', () => {
    const { written, elicitation, setAddress } = setUp({ waiting: false });
    elicitation.complete();
    setAddress(ADDRESS);
    elicitation.complete();
    expect(written).toEqual([]);
  });
});

test('distinguishes a response to the bridge from one to the server', () => {
  const { written, elicitation, setAddress } = setUp();
  const takes = (id: unknown) => elicitation.takes(JSON.stringify(id) as MessageId, { result: {} });
  expect(takes('drawbridge-x')).toBe(false);
  setAddress(ADDRESS);
  setAddress(`${ADDRESS}&y=2`);
  for (const { id } of written) expect(takes(id)).toBe(true);
  expect(takes('drawbridge-x')).toBe(false);
  elicitation.complete();
  for (const id of written.flatMap(({ id = [] }) => id)) expect(takes(id)).toBe(true);
});

const refusals: [string, object][] = [
  ['decline', { result: { action: 'decline' } }],
  ['cancel', { result: { action: 'cancel' } }],
  ['an error', { error: { code: -32_600, message: 'not now' } }],
];

describe.each(refusals)('an elicitation that is refused (%s)', (_, refusal) => {
  test('within milliseconds, is sent again when a tool is called, once for each call', () => {
    const { written, elicitation, setAddress, answer, call } = setUp();
    setAddress(ADDRESS);
    answer(refusal, 9);
    elicitation.offer();
    expect(written.length).toBe(1);
    call();
    expect(written.map(({ params }) => params.url)).toEqual([ADDRESS, ADDRESS]);
    expect(written[0]?.id).not.toBe(written[1]?.id);
    answer(refusal, 9);
    elicitation.offer();
    expect(written.length).toBe(2);
    call();
    expect(written.length).toBe(3);
  });

  test('within milliseconds, if the call came before the refusal, is sent again at once', () => {
    const { written, setAddress, answer, call } = setUp();
    setAddress(ADDRESS);
    call();
    expect(written.length).toBe(1);
    answer(refusal, 9);
    expect(written.length).toBe(2);
  });

  test('by a person is not sent again', () => {
    const { written, setAddress, answer, call } = setUp();
    setAddress(ADDRESS);
    answer(refusal, REFUSED_BY_PROGRAM_MS);
    call();
    expect(written.length).toBe(1);
  });
});

test('an elicitation that is accepted at once is not sent again', () => {
  const { written, setAddress, answer, call } = setUp();
  setAddress(ADDRESS);
  answer({ result: { action: 'accept' } }, 2);
  call();
  expect(written.length).toBe(1);
});

describe('after the sign-in has opened a browser', () => {
  test("the address is shown after the browser's head start, and not before", async () => {
    const { written, elicitation, openBrowser, pass, elapsedMs, sleeps } = setUp();
    openBrowser(ADDRESS);
    while (sleeps.length > 0) {
      elicitation.offer();
      expect(elicitation.due).toBeUndefined();
      expect(written).toEqual([]);
      await pass();
    }
    expect(elapsedMs()).toBe(BROWSER_HEAD_START_MS);
    expect(elicitation.due).toEqual({ address: ADDRESS, message: 'Sign in to use this server.' });
    expect(written.length).toBe(1);
  });

  test('which turns out not to open, the address is shown then', async () => {
    const { written, browser, openBrowser, pass, elapsedMs } = setUp();
    openBrowser(ADDRESS);
    await pass();
    browser.isOpened = false;
    await pass();
    expect(written.length).toBe(1);
    expect(elapsedMs()).toBe(2 * BROWSER_LOOK_MS);
  });

  test.each<[string, (world: ReturnType<typeof setUp>) => void]>([
    ['the sign-in ends', ({ elicitation }) => elicitation.complete()],
    ['the bridge closes', ({ closing }) => closing.abort()],
  ])('and %s meanwhile: nothing is shown, and nothing is wrong', async (_, end) => {
    const world = setUp();
    world.openBrowser(ADDRESS);
    end(world);
    await turn();
    expect(world.elicitation.due).toBeUndefined();
    expect(world.written).toEqual([]);
    expect(world.warnings).toEqual([]);
  });

  test('and another address follows, only the new one is shown', async () => {
    const { written, setAddress, openBrowser, pass, sleeps, warnings } = setUp();
    openBrowser(ADDRESS);
    setAddress(`${ADDRESS}&y=2`);
    while (sleeps.length > 0) await pass();
    expect(written.map(({ params }) => params.url)).toEqual([`${ADDRESS}&y=2`]);
    expect(warnings).toEqual([]);
  });

  test('an internal error during the wait is logged', async () => {
    const { sleeps, openBrowser, warnings } = setUp();
    openBrowser(ADDRESS);
    sleeps[0]?.reject(new Error('broken'));
    await turn();
    expect(warnings.length).toBe(1);
  });
});

describe('the error of a call that needs a sign-in', () => {
  test('names the address to a host that cannot show it', () => {
    expect(setUp({ params: {} }).elicitation.errorFor(ADDRESS)).toEqual({
      code: -32_000,
      data: { address: ADDRESS },
    });
  });

  test('is an elicitation for a host that can, the same one that it was shown', () => {
    const { written, elicitation, setAddress } = setUp();
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
    setAddress(ADDRESS, 'ABCD');
    expect(elicitation.errorFor(ADDRESS)).toMatchObject({
      data: {
        elicitations: [{ elicitationId: written[0]?.id, message: expect.stringContaining('ABCD') }],
      },
    });
  });

  test('has a new id if another address was shown', () => {
    const { written, elicitation, setAddress } = setUp();
    setAddress(ADDRESS);
    const id = (address: string) => {
      const { data } = elicitation.errorFor(address);
      return (data as { elicitations: { elicitationId: string }[] }).elicitations[0]?.elicitationId;
    };
    const other = id(`${ADDRESS}&y=2`);
    expect(other).not.toBe(written[0]?.id);
    expect(id(`${ADDRESS}&y=2`)).toBe(other);
    expect(id(ADDRESS)).toBe(written[0]?.id);
  });

  test('is completed like one that was shown', () => {
    const { written, elicitation, setAddress } = setUp({ waiting: false });
    setAddress(ADDRESS);
    const { data } = elicitation.errorFor(ADDRESS);
    expect(elicitation.errorFor(ADDRESS)).toEqual({ code: -32_042, data });
    elicitation.complete();
    const { elicitations } = data as { elicitations: { elicitationId: string }[] };
    expect(written).toMatchObject([
      {
        method: 'notifications/elicitation/complete',
        params: { elicitationId: elicitations[0]?.elicitationId },
      },
    ]);
  });
});
