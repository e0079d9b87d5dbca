import { describe, expect, test } from 'vitest';
import type { Bearer } from '../../../../src/auth/authorization.ts';
import { PendingSignIn } from '../../../../src/bridge/stand-in/pending-sign-in.ts';
import { ProvisionalLists } from '../../../../src/bridge/stand-in/provisional-lists.ts';
import {
  absentAnswer,
  declaresUrlElicitation,
  signInResult,
  standInInitializeResult,
  standInList,
} from '../../../../src/bridge/stand-in/stand-in.ts';
import { describeUnavailability } from '../../../../src/bridge/stand-in/unavailability.ts';
import type { PendingSignInStatus } from '../../../../src/protocol/pending-sign-in.ts';
import { BadAnswerError } from '../../../../src/remote/http/errors.ts';
import { StoreAwayError } from '../../../../src/store/files/store-errors.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function signIn(address?: string, userCode?: string) {
  const { promise: done, resolve, reject } = withResolvers<Bearer>();
  const status: PendingSignInStatus = {
    address,
    userCode,
    deadline: undefined,
    done,
    onAddress: (listener) => address !== undefined && listener(address, userCode),
  };
  return { status, resolve: () => resolve({ token: 't' }), reject: () => reject(new Error('denied')) };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function pending() {
  const told: unknown[] = [];
  const hooks = {
    onAddress: (...words: unknown[]) => told.push(words),
    onEnd: (succeeded: boolean) => told.push(succeeded ? 'end' : 'failure'),
  };
  return { told, pendingSignIn: new PendingSignIn(hooks) };
}

describe('a sign-in under way', () => {
  test('is undefined before it begins', () => {
    expect(pending().pendingSignIn.unavailability).toBeUndefined();
  });

  test.each(['resolve', 'reject'] as const)('is reported until it ends (%s)', async (how) => {
    const { told, pendingSignIn } = pending();
    const one = signIn('https://as.example/1', 'ABCD');
    pendingSignIn.watch(one.status);
    pendingSignIn.watch(one.status);
    expect(told).toEqual([['https://as.example/1', 'ABCD']]);
    expect(pendingSignIn.unavailability).toEqual({
      kind: 'signing-in',
      address: 'https://as.example/1',
      userCode: 'ABCD',
    });
    one[how]();
    await turn();
    expect(told.slice(1)).toEqual([how === 'resolve' ? 'end' : 'failure']);
    expect(pendingSignIn.unavailability).toBeUndefined();
  });

  test.each([
    [true, true],
    [false, false],
    [undefined, false],
  ])('has opened a browser: %s', (browserOpened, expected) => {
    const { pendingSignIn } = pending();
    expect(pendingSignIn.browserOpened).toBe(false);
    const { status } = signIn('https://as.example/1');
    pendingSignIn.watch(browserOpened === undefined ? status : { ...status, browserOpened });
    expect(pendingSignIn.browserOpened).toBe(expected);
  });

  test('that was replaced by another ends unnoticed', async () => {
    const { told, pendingSignIn } = pending();
    const [one, other] = [signIn('https://as.example/1'), signIn('https://as.example/2')];
    pendingSignIn.watch(one.status);
    pendingSignIn.watch(other.status);
    one.resolve();
    await turn();
    expect(told).not.toContain('end');
    expect(pendingSignIn.unavailability?.address).toBe('https://as.example/2');
    other.resolve();
    await turn();
    expect(told).toContain('end');
  });
});

describe('lists answered without the server', () => {
  test('offer a sign-in only for a pending one, until the real tools came', () => {
    const lists = new ProvisionalLists();
    expect(lists.signInOffered).toBe(false);
    expect(lists.answersSignIn).toBe(false);
    lists.noteProvisional('tools/list', false);
    expect(lists.signInOffered).toBe(false);
    lists.noteProvisional('tools/list', true);
    lists.noteProvisional('prompts/list', true);
    expect(lists.signInOffered).toBe(true);
    lists.noteReal('prompts/list', false);
    expect(lists.signInOffered).toBe(true);
    lists.noteReal('tools/list', false);
    expect(lists.signInOffered).toBe(false);
    expect(lists.answersSignIn).toBe(true);
    lists.noteReal('tools/list', true);
    expect(lists.answersSignIn).toBe(false);
    expect(lists.changes({})).toEqual([]);
  });

  test('of last time are not placeholders; a list with the sign-in hint is', () => {
    const signingIn = { kind: 'signing-in', address: undefined } as const;
    expect(standInList('tools/list', {}, signingIn)?.placeholder).toBe(true);
    expect(standInList('tools/list', { lists: {} }, signingIn)?.placeholder).toBe(true);
    expect(standInList('tools/list', { lists: {} }, { kind: 'opening' })).toBeUndefined();
    expect(standInList('tools/list', {}, signingIn)?.result).toEqual({
      tools: [
        {
          name: 'sign_in',
          title: 'Sign in',
          description: expect.stringMatching(/in progress.*This tool waits/),
          inputSchema: { type: 'object', properties: {} },
          annotations: { readOnlyHint: true, openWorldHint: true },
        },
      ],
    });
  });
});

describe('invalid cached values', () => {
  test.each([undefined, null, 7, [], {}])('parameters of initialize: %j', (params) => {
    expect(standInInitializeResult(params, {}, '1').protocolVersion).toBe('2025-11-25');
  });

  test.each([undefined, 'x', [], null])('capabilities of last time: %j', (capabilities) => {
    expect(standInInitializeResult({}, { initialize: { capabilities } }, '1').capabilities).toEqual({});
  });

  test('a missing result of last time: the minimal one', () => {
    expect(standInInitializeResult({}, { initialize: 'x' }, '7').serverInfo).toEqual({
      name: 'mcp-drawbridge',
      version: '7',
    });
  });

  test('a capability that is not an object is left as it is', () => {
    const initialize = { capabilities: { tools: true, prompts: {}, resources: { subscribe: false } } };
    expect(standInInitializeResult({}, { initialize }, '1').capabilities).toEqual({
      tools: true,
      prompts: { listChanged: true },
      resources: { subscribe: false, listChanged: true },
    });
  });

  test.each([
    null,
    7,
    { capabilities: null },
    { capabilities: { elicitation: null } },
    { capabilities: { elicitation: { url: true } } },
  ])('%j does not support addresses', (params) => {
    expect(declaresUrlElicitation(params)).toBe(false);
  });
});

describe('words', () => {
  test('with a code for another device', () => {
    expect(
      describeUnavailability({ kind: 'signing-in', address: 'https://as.example/device', userCode: 'ABCD' }),
    ).toMatch(/on any device and enter the code ABCD.*: https:\/\/as\.example\/device$/);
    expect(describeUnavailability({ kind: 'signing-in', address: 'https://as.example/' })).not.toContain(
      'code',
    );
  });

  test('without a hint', () => {
    const error = new BadAnswerError('no');
    expect(describeUnavailability({ kind: 'failed', error })).toBe('no.');
    expect(describeUnavailability({ kind: 'unreachable', error })).toMatch(
      /reached: no\. The bridge keeps trying/,
    );
  });

  test('of the store, with a hint', () => {
    const error = new StoreAwayError('the store is away', { applied: 'no', hint: 'Start it.' });
    expect(describeUnavailability({ kind: 'unreachable', error })).toBe(
      'The login cannot be read: the store is away. Start it. The bridge keeps trying; no restart is needed.',
    );
  });

  test.each([
    [true, /^Signed in\. The tools of the server are available now\.$/],
    [
      undefined,
      /^Signed in\. The tools of the server are available now\. If the app does not show them, restart/,
    ],
    [false, /^Signed in\. .*the person has to restart this MCP server/],
  ])('of the sign_in tool, when the host shows the tools: %s', (showsTools, expected) => {
    expect(signInResult({ kind: 'signed-in', showsTools })).toEqual({
      content: [{ type: 'text', text: expect.stringMatching(expected) }],
    });
  });

  test('of the sign_in tool that ended without a sign-in', () => {
    expect(signInResult({ kind: 'opening' })).toEqual({
      content: [{ type: 'text', text: expect.stringContaining('not answered yet') }],
      isError: true,
    });
  });
});

test.each([
  ['tools/list', { result: { tools: [] } }],
  ['resources/templates/list', { result: { resourceTemplates: [] } }],
  ['logging/setLevel', { result: {} }],
  ['resources/subscribe', { message: expect.stringContaining('resources/subscribe') }],
  ['resources/unsubscribe', { message: expect.stringContaining('resources/unsubscribe') }],
])('%s for a server that turns out not to have it', (method, expected) => {
  expect(absentAnswer(method, true, {})).toMatchObject(expected);
});

test('resources that are declared invalidly', () => {
  expect(absentAnswer('resources/subscribe', true, { resources: true })?.kind).toBe('error');
  expect(absentAnswer('resources/subscribe', true, { resources: { subscribe: 'yes' } })?.kind).toBe('error');
});
