import { describe, expect, test } from 'vitest';
import { missingCapability, missingCapabilityReason } from '../../../src/protocol/client-capabilities.ts';

describe('requests that a host never offered (SECURITY.md, attack 21)', () => {
  test.each([
    ['sampling/createMessage', { sampling: {} }],
    ['elicitation/create', { elicitation: { url: {} } }],
    ['roots/list', { roots: { listChanged: true } }],
    ['tasks/get', { tasks: {} }],
    ['tasks/result', { tasks: {} }],
    ['tasks/list', { tasks: {} }],
    ['tasks/cancel', { tasks: {} }],
  ])('%s', (method, capabilities) => {
    const [needed] = Object.keys(capabilities);
    expect(missingCapability(method, capabilities)).toBeUndefined();
    for (const none of [undefined, null, 7, {}, { other: {} }, { [String(needed)]: null }]) {
      expect(missingCapability(method, none)).toBe(needed);
    }
  });

  test('a capability on the prototype does not count', () => {
    const inherited = Object.create({ sampling: {} }) as object;
    expect(missingCapability('sampling/createMessage', inherited)).toBe('sampling');
  });

  test.each(['ping', 'x-vendor/ask', 'constructor', ''])('%j needs no capability', (method) => {
    expect(missingCapability(method, undefined)).toBeUndefined();
  });

  test('the missing capability is named', () => {
    expect(missingCapabilityReason('roots')).toBe(
      'Method not found: the host has not declared the capability roots.',
    );
  });
});
