import { describe, expect, it } from 'vitest';
import { ProvisionalLists } from '../../../../src/bridge/stand-in/provisional-lists.ts';
import {
  absentAnswer,
  declaresUrlElicitation,
  holdsSignIn,
  insteadOfList,
  signInResult,
  standInInitializeResult,
  standInList,
} from '../../../../src/bridge/stand-in/stand-in.ts';
import type { Unavailability } from '../../../../src/bridge/stand-in/unavailability.ts';
import { describeUnavailability } from '../../../../src/bridge/stand-in/unavailability.ts';
import { BadAnswerError } from '../../../../src/remote/http/errors.ts';

const signingIn: Unavailability = { kind: 'signing-in', address: 'https://as.example/authorize?x=1' };
const unreachable: Unavailability = {
  kind: 'unreachable',
  error: new BadAnswerError('connection refused', { hint: 'Start it.' }),
};

describe('the answer to initialize', () => {
  it.each([
    ['2025-06-18', '2025-06-18'],
    ['2024-11-05', '2024-11-05'],
    ['2026-07-28', '2025-11-25'],
    ['nonsense', '2025-11-25'],
  ])('answers version %s with %s', (asked, answered) => {
    expect(standInInitializeResult({ protocolVersion: asked }, {}, '1').protocolVersion).toBe(answered);
  });

  it('offers everything the server might have when nothing is known', () => {
    expect(standInInitializeResult({}, {}, '1.2.3')).toEqual({
      protocolVersion: '2025-11-25',
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        logging: {},
        completions: {},
      },
      serverInfo: { name: 'mcp-drawbridge', version: '1.2.3' },
    });
  });

  it('repeats what the server said last time, with changes of the lists that it has', () => {
    const initialize = {
      protocolVersion: '2025-03-26',
      capabilities: { tools: {}, completions: {} },
      serverInfo: { name: 'real', version: '9' },
      instructions: 'be nice',
    };
    expect(standInInitializeResult({ protocolVersion: '2025-06-18' }, { initialize }, '1')).toEqual({
      ...initialize,
      protocolVersion: '2025-06-18',
      capabilities: { tools: { listChanged: true }, completions: {} },
    });
  });
});

describe('lists', () => {
  it('come from last time if known', () => {
    const remembered = { lists: { 'tools/list': { tools: [{ name: 'x' }] } } };
    for (const situation of [signingIn, unreachable]) {
      expect(standInList('tools/list', remembered, situation)).toEqual({
        result: { tools: [{ name: 'x' }] },
        placeholder: false,
      });
    }
  });

  it('contain the sign-in hint with the address, or nothing', () => {
    const tools = standInList('tools/list', {}, signingIn)?.result as {
      tools: { name: string; description: string }[];
    };
    expect(tools.tools.map(({ name }) => name)).toEqual(['sign_in']);
    expect(tools.tools[0]?.description).toContain('https://as.example/authorize?x=1');
    expect(standInList('prompts/list', {}, signingIn)?.result).toEqual({ prompts: [] });
    expect(standInList('resources/templates/list', {}, signingIn)?.result).toEqual({ resourceTemplates: [] });
  });

  it('are an error if the server is unreachable and was never seen', () => {
    expect(standInList('tools/list', {}, unreachable)).toBeUndefined();
  });

  it('are empty for what the server has not declared', () => {
    const empty = { kind: 'result', result: { prompts: [] } };
    expect(absentAnswer('prompts/list', true, { tools: {} })).toEqual(empty);
    expect(absentAnswer('prompts/list', false, { tools: {} })).toEqual(empty);
    expect(absentAnswer('prompts/list', true, {})).toEqual(empty);
    // It declares nothing and may have anything.
    expect(absentAnswer('prompts/list', false, { logging: {} })).toBeUndefined();
    // What a server is used for is asked of it, unless the stand-in promised it.
    expect(absentAnswer('tools/list', false, { prompts: {} })).toBeUndefined();
    expect(absentAnswer('tools/list', true, { prompts: {} })).toEqual({
      kind: 'result',
      result: { tools: [] },
    });
    expect(absentAnswer('tools/list', true, { tools: {} })).toBeUndefined();
    expect(absentAnswer('constructor', true, {})).toBeUndefined();
  });

  it.each([
    ['logging/setLevel', {}, 'result'],
    ['logging/setLevel', { logging: {} }, undefined],
    ['resources/subscribe', {}, 'error'],
    ['resources/subscribe', { resources: {} }, 'error'],
    ['resources/unsubscribe', { resources: { subscribe: false } }, 'error'],
    ['resources/subscribe', { resources: { subscribe: true } }, undefined],
    // Older servers complete without having declared it: they speak for themselves.
    ['completion/complete', {}, undefined],
    ['tools/call', {}, undefined],
  ])('%s after a stand-in, at a server with %j: %s', (method, capabilities, kind) => {
    expect(absentAnswer(method, true, capabilities)?.kind).toBe(kind);
    expect(absentAnswer(method, false, capabilities)).toBeUndefined();
  });

  it('that were answered are announced once, and not if the real one came first', () => {
    const lists = new ProvisionalLists();
    lists.noteProvisional('tools/list', true);
    lists.noteProvisional('resources/list', false);
    lists.noteProvisional('resources/templates/list', false);
    lists.noteProvisional('prompts/list', false);
    expect(lists.signInOffered).toBe(true);
    lists.noteReal('prompts/list', false);
    expect(lists.changes({})).toEqual([
      'notifications/tools/list_changed',
      'notifications/resources/list_changed',
    ]);
    expect(lists.changes({})).toEqual([]);
    lists.noteReal('tools/list', false);
    expect(lists.signInOffered).toBe(false);
  });
});

describe('lists that were answered empty', () => {
  it('are announced if the server has them, and the tools in any case', () => {
    const lists = new ProvisionalLists();
    const give = () => {
      for (const method of ['tools/list', 'prompts/list', 'resources/list'] as const) {
        lists.noteProvisional(method, true);
      }
    };
    give();
    expect(lists.changes({})).toEqual(['notifications/tools/list_changed']);
    give();
    expect(lists.changes({ tools: {}, resources: {} })).toEqual([
      'notifications/tools/list_changed',
      'notifications/resources/list_changed',
    ]);
  });
});

describe('a result that is not a list', () => {
  it.each([
    ['tools/list', { tools: [] }],
    ['prompts/list', { prompts: [{ name: 'x' }], nextCursor: 'y' }],
    ['resources/templates/list', { resourceTemplates: [] }],
    // It asks for something, and is no list yet.
    ['tools/list', { resultType: 'input_required', inputRequests: {} }],
  ] as const)('%s: %j is a list', (method, result) => {
    expect(insteadOfList(method, result, true)).toBeUndefined();
  });

  it.each([
    ['prompts/list', {}, 'prompts'],
    ['prompts/list', { prompts: null }, 'prompts'],
    ['resources/list', { resourceTemplates: [] }, 'resources'],
    ['resources/templates/list', [], 'resourceTemplates'],
    ['resources/list', undefined, 'resources'],
    ['prompts/list', { resultType: 'complete', prompts: {} }, 'prompts'],
  ] as const)('%s: %j instead is not a list', (method, result, field) => {
    expect(insteadOfList(method, result, true)).toEqual({ kind: 'result', result: { [field]: [] } });
  });

  it.each([
    [{ tool: 1, other: {} }, 'has only "tool", "other"'],
    [{ tools: {} }, 'has only "tools"'],
    [{}, 'is empty'],
    [[[]], 'is an array'],
    [null, 'is "null"'],
    [undefined, 'is "undefined"'],
    ['none', 'is "none"'],
  ])("is named if it should hold the server's tools: %j", (result, outline) => {
    expect(insteadOfList('tools/list', result, true)).toEqual({
      kind: 'error',
      message: `The server answered tools/list without a list of tools: its result ${outline}.`,
    });
    expect(insteadOfList('tools/list', {}, false)).toEqual({ kind: 'result', result: { tools: [] } });
  });

  it('is not used from last time', () => {
    const remembered = { lists: { 'prompts/list': {}, 'tools/list': { tools: 'x' } } };
    expect(standInList('prompts/list', remembered, signingIn)?.result).toEqual({ prompts: [] });
    expect(standInList('tools/list', remembered, unreachable)).toBeUndefined();
  });
});

describe('words', () => {
  it.each<[Unavailability, RegExp]>([
    [signingIn, /Open this address.*https:\/\/as\.example/],
    [{ kind: 'signing-in', address: undefined }, /in progress/],
    [unreachable, /cannot be reached: connection refused\. Start it\./],
    [{ kind: 'opening' }, /has not answered yet/],
    [{ kind: 'failed', error: new BadAnswerError('no', { hint: 'Do.' }) }, /^no\. Do\.$/],
  ])('for %j', (situation, expected) => {
    expect(describeUnavailability(situation)).toMatch(expected);
  });

  it('of the sign_in tool are an error until it is done', () => {
    expect(signInResult({ kind: 'signed-in', showsTools: true })).not.toHaveProperty('isError');
    expect(signInResult(signingIn)).toHaveProperty('isError', true);
    const [content] = signInResult(signingIn).content as { text: string }[];
    expect(content?.text).toMatch(
      /^Not signed in yet: call this tool again to continue waiting\. .*https:\/\/as\.example/,
    );
    expect(signInResult(unreachable).content).toEqual([
      { type: 'text', text: describeUnavailability(unreachable) },
    ]);
  });

  it.each([
    [[{ name: 'echo' }, { name: 'sign_in' }], true],
    [[{ name: 'echo' }], false],
    [[], false],
    [[null, 'sign_in', { title: 'sign_in' }], false],
    [{ name: 'sign_in' }, false],
    [undefined, false],
  ])('whether the tools %j contain one with the name of ours: %s', (tools, expected) => {
    expect(holdsSignIn(tools)).toBe(expected);
  });

  it.each([
    [{ capabilities: { elicitation: { url: {} } } }, true],
    [{ capabilities: { elicitation: {} } }, false],
    [{ capabilities: { elicitation: { form: {} } } }, false],
    [undefined, false],
  ])('whether a host with %j supports addresses: %s', (params, expected) => {
    expect(declaresUrlElicitation(params)).toBe(expected);
  });
});
