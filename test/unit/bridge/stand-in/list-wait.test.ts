import { describe, expect, it, test } from 'vitest';
import { ListWait, listWaitMs } from '../../../../src/bridge/stand-in/list-wait.ts';
import type { Unavailability } from '../../../../src/bridge/stand-in/unavailability.ts';
import { hostProfile } from '../../../../src/bridge/timing/host-profile.ts';
import { LIST_WAIT_MS } from '../../../../src/bridge/timing/limits.ts';
import { BadAnswerError } from '../../../../src/remote/http/errors.ts';

const opening: Unavailability = { kind: 'opening' };
const unreachable: Unavailability = { kind: 'unreachable', error: new BadAnswerError('refused') };
const page = (browserOpened: boolean, address: string | undefined = 'https://x'): Unavailability => ({
  kind: 'signing-in',
  address,
  browserOpened,
});
const noAddress: Unavailability = { kind: 'signing-in', address: undefined, browserOpened: false };
const anyone = { listsMs: 20_000, isKnown: false, hadPage: false };

describe('how long lists wait', () => {
  it.each([
    ['a page that was opened', page(true), {}, 20_000],
    ['a page that may be opened yet', noAddress, {}, 20_000],
    ['no page', page(false), {}, 0],
    ['a page, at a host that never asks again', page(true), { listsMs: 45_000 }, 45_000],
    ['a page, at a host in a hurry', page(true), { listsMs: 4_000 }, 4_000],
    ['the server', opening, {}, 20_000],
    ['the server, at a host that never asks again', opening, { listsMs: 45_000 }, 45_000],
    ['the server after the person, at such a host', opening, { listsMs: 45_000, hadPage: true }, 45_000],
    ['the server, at a host in a hurry', opening, { listsMs: 4_000 }, 4_000],
    ['a server that is unreachable', unreachable, {}, 20_000],
    ['a server that is unreachable, with the list of last time', unreachable, { isKnown: true }, 0],
    [
      'a server that is unreachable, at a host that never asks again',
      unreachable,
      { listsMs: 45_000 },
      LIST_WAIT_MS,
    ],
    ['the same after the person', unreachable, { listsMs: 45_000, hadPage: true }, 45_000],
    ['nothing', { kind: 'failed', error: new BadAnswerError('no') } as const, {}, 0],
  ])('%s', (_what, unavailability, situation, ms) => {
    expect(listWaitMs(unavailability, { ...anyone, ...situation })).toBe(ms);
  });
});

describe('the shared wait of all lists', () => {
  const host = hostProfile({});

  interface State {
    now: number;
    unavailability: Unavailability;
  }

  function listWait(state: State) {
    return new ListWait({
      clock: { monotonic: () => state.now },
      unavailability: () => state.unavailability,
    });
  }

  it('begins with initialize', () => {
    const state = { now: 1_000, unavailability: page(true) };
    const wait = listWait(state);
    wait.begin();
    state.now = 3_000;
    expect(wait.deadline('prompts/list', host)).toBe(21_000);
    state.now = 21_000;
    expect(wait.deadline('tools/list', host)).toBe(21_000);
    state.now = 30_000;
    expect(wait.deadline('resources/list', host)).toBe(21_000);
  });

  it('begins with the first list of a host that lists late, or has no handshake', () => {
    const state = { now: 1_000, unavailability: page(true) };
    const wait = listWait(state);
    wait.begin();
    state.now = 21_000;
    expect(wait.deadline('tools/list', host)).toBe(41_000);
    state.now = 45_000;
    expect(wait.deadline('tools/list', host)).toBe(41_000);
    const other = listWait({ now: 7, unavailability: page(true) });
    expect(other.deadline('tools/list', host)).toBe(20_007);
  });

  it('begins again when the server has answered in between', () => {
    const state: State = { now: 0, unavailability: page(true) };
    const wait = listWait(state);
    wait.begin();
    wait.deadline('tools/list', host);
    wait.end();
    state.now = 500_000;
    expect(wait.deadline('tools/list', host)).toBe(520_000);
    expect(wait.deadline('prompts/list', host)).toBe(520_000);
  });

  it('is over when it turns out that no page opens', () => {
    const state: State = { now: 0, unavailability: noAddress };
    const wait = listWait(state);
    wait.begin();
    expect(wait.deadline('tools/list', host)).toBe(20_000);
    state.now = 800;
    state.unavailability = page(false);
    expect(wait.deadline('tools/list', host)).toBeLessThanOrEqual(800);
  });

  it('leaves the rest of it to the server when the sign-in is done', () => {
    const state: State = { now: 0, unavailability: page(true) };
    const wait = listWait(state);
    const qwen = hostProfile({ clientInfo: { name: 'qwen-cli-mcp-client-world' } });
    wait.begin();
    state.now = 1;
    wait.deadline('tools/list', qwen);
    state.now = 40_000;
    state.unavailability = opening;
    expect(wait.deadline('tools/list', qwen)).toBe(45_000);
    wait.end();
    expect(wait.deadline('tools/list', qwen)).toBe(85_000);
  });

  test("an unreachable server: last time's list is returned at once", () => {
    const wait = listWait({ now: 5, unavailability: unreachable });
    wait.lastTime = { lists: { 'tools/list': { tools: [] } } };
    expect(wait.deadline('tools/list', host)).toBe(5);
    expect(wait.deadline('prompts/list', host)).toBe(20_005);
  });

  describe('at a host that never lists again, while the server is unreachable', () => {
    const qwen = hostProfile({ clientInfo: { name: 'qwen-cli-mcp-client-world' } });

    it('is the default if no sign-in was pending', () => {
      const state: State = { now: 0, unavailability: unreachable };
      const wait = listWait(state);
      expect(wait.deadline('tools/list', qwen)).toBe(LIST_WAIT_MS);
      state.unavailability = page(false);
      wait.deadline('tools/list', qwen);
      state.unavailability = unreachable;
      expect(wait.deadline('tools/list', qwen)).toBe(LIST_WAIT_MS);
    });

    it('is that of the host after a pending sign-in', () => {
      const state: State = { now: 0, unavailability: page(true) };
      const wait = listWait(state);
      wait.deadline('tools/list', qwen);
      state.unavailability = unreachable;
      expect(wait.deadline('tools/list', qwen)).toBe(45_000);
      wait.end();
      expect(wait.deadline('tools/list', qwen)).toBe(LIST_WAIT_MS);
    });

    it('begins with the first list, however late it comes', () => {
      const state: State = { now: 100_000, unavailability: unreachable };
      const wait = listWait(state);
      wait.begin();
      state.now = 101_000;
      expect(wait.deadline('tools/list', qwen)).toBe(100_000 + LIST_WAIT_MS);
    });
  });
});
