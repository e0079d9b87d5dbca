import { expect, it } from 'vitest';
import { isKeychainKind } from '../../../src/protocol/keychain-kind.ts';

it.each(['system', 'helper:pass', 'helper:osxkeychain', 'helper:ecr-login', 'helper:v1.2_x'])(
  'accepts %s',
  (text) => expect(isKeychainKind(text)).toBe(true),
);

it.each([
  '',
  'System',
  'a system',
  'a helper:pass',
  'pass',
  'helper:',
  'helper:../pass',
  'helper:a/b',
  'helper:a\\b',
  'helper:.pass',
  'helper:-x',
  'helper:a b',
  'helper:a\n',
  'helper:a\0',
  'helper:ä',
  `helper:${'a'.repeat(64)}`,
])('rejects %j', (text) => expect(isKeychainKind(text)).toBe(false));
