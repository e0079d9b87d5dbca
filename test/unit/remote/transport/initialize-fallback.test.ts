import { expect, test } from 'vitest';
import { versionsToOffer } from '../../../../src/remote/transport/initialize-fallback.ts';

test.each<[unknown, string, readonly string[]]>([
  ['2025-11-25', 'Unsupported protocol version', ['2025-06-18', '2025-03-26', '2024-11-05']],
  ['2025-06-18', 'Unsupported protocol version', ['2025-03-26', '2024-11-05']],
  ['2025-11-25', 'supported versions: 2025-03-26, 2024-11-05', ['2025-03-26', '2024-11-05']],
  ['2025-11-25', '"2025-11-25" is unknown', ['2025-06-18', '2025-03-26', '2024-11-05']],
  ['2024-11-05', 'supported versions: 2025-11-25', []],
  ['1.0', '', []],
  [undefined, '', []],
  [7, '', []],
])('%j and %j → %j', (refused, words, offered) => {
  expect(versionsToOffer(refused, words)).toEqual(offered);
});
