import { describe, expect, it } from 'vitest';
import { isListMethod, isListResult } from '../../../src/protocol/list-methods.ts';

it('knows the requests for lists, and nothing that every object has', () => {
  expect(isListMethod('resources/templates/list')).toBe(true);
  for (const method of ['tools/call', 'toString', '']) expect(isListMethod(method)).toBe(false);
});

describe('the result of a list request', () => {
  it.each([
    ['tools/list', { tools: [] }],
    ['resources/templates/list', { resourceTemplates: [{ name: 'a' }], nextCursor: 'b' }],
    ['tools/list', { tools: [], resultType: 'complete' }],
    ['tools/list', { tools: [], resultType: 7 }],
    ['tools/list', { resultType: 'input_required' }],
  ] as const)('%s: %j holds the list, or is of another type', (method, result) =>
    expect(isListResult(method, result)).toBe(true),
  );

  it.each([
    ['tools/list', undefined],
    ['tools/list', null],
    ['tools/list', [{ tools: [] }]],
    ['tools/list', {}],
    ['tools/list', { tools: {} }],
    ['tools/list', { prompts: [] }],
    ['tools/list', { resultType: 'complete' }],
    ['tools/list', { resultType: 7 }],
  ] as const)('%s: %j does not hold the list', (method, result) =>
    expect(isListResult(method, result)).toBe(false),
  );
});
