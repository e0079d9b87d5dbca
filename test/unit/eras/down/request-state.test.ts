import { expect, it } from 'vitest';
import { RequestStates } from '../../../../src/eras/down/request-state.ts';
import { systemRandom } from '../../../../src/platform/random.ts';

const NOW = 1_800_000_000_000;
const CALL = '["tools/call","ask"]';

it('is valid for its call and its time, and not after a change', () => {
  const states = new RequestStates(systemRandom);
  const { id, state } = states.issue(CALL, NOW + 1_000);
  expect(states.verify(state, CALL, NOW + 1_000)).toBe(id);
  expect(states.verify(state, CALL, NOW + 1_001)).toBeUndefined();
  expect(states.verify(state, '["tools/call","other"]', NOW)).toBeUndefined();
  const [name, , signature] = state.split('.');
  const bad = [
    `${name}.${NOW + 9_000}.${signature}`,
    `x${state}`,
    `${state}x`,
    '',
    '..',
    name,
    7,
    null,
    undefined,
  ];
  for (const forged of bad) expect(states.verify(forged, CALL, NOW)).toBeUndefined();
  expect(new RequestStates(systemRandom).verify(state, CALL, NOW)).toBeUndefined();
});
