import { describe, expect, test } from 'vitest';
import { missingCapability } from '../../../src/protocol/client-capabilities.ts';

describe('requests that a host never offered (SECURITY.md, attack 21)', () => {
  test.each([
    ['sampling/createMessage', { sampling: {} }],
    ['elicitation/create', { elicitation: { url: {} } }],
    ['roots/list', { roots: { listChanged: true } }],
    ['tasks/result', { tasks: {} }],
  ])('%s', (method, capabilities) => {
    const [needed] = Object.keys(capabilities);
    expect(missingCapability(method, capabilities)).toBeUndefined();
    for (const none of [undefined, null, 7, {}, { other: {} }, { [String(needed)]: null }]) {
      expect(missingCapability(method, none)).toBe(needed);
    }
  });

  test('a capability of the prototype is none', () => {
    const inherited = Object.create({ sampling: {} }) as object;
    expect(missingCapability('sampling/createMessage', inherited)).toBe('sampling');
  });

  test.each(['ping', 'x-vendor/ask', 'constructor', ''])('%j needs none', (method) => {
    expect(missingCapability(method, undefined)).toBeUndefined();
  });
});
