import { expect, it } from 'vitest';
import { initializePatienceMs } from '../../../../src/bridge/timing/host-patience.ts';

it.each([
  [{ clientInfo: { name: 'claude-code' } }, 8_000],
  [{ clientInfo: { name: '@cline/core' } }, 800],
  [{ clientInfo: { name: 'Cline' } }, 8_000],
  [{ clientInfo: { name: 'constructor' } }, 8_000],
  [{ clientInfo: { name: 7 } }, 8_000],
  [{ clientInfo: null }, 8_000],
  [{}, 8_000],
  [null, 8_000],
  [undefined, 8_000],
  ['text', 8_000],
])('%j waits %d ms', (params, ms) => {
  expect(initializePatienceMs(params)).toBe(ms);
});
