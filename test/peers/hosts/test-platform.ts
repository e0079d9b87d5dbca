import { PassThrough } from 'node:stream';
import '../../../src/auth/grant/device-code.ts';
import '../../../src/auth/sign-in/launch.ts';
import '../../../src/eras/up/up-transport.ts';
import { type Platform, systemPlatform } from '../../../src/compose/platform.ts';
import '../../../src/platform/http/loopback-listener.ts';
import '../../../src/platform/desktop/browser.ts';

// The program loads these when they are first wanted. Compiling them takes longer than a fast clock allows for.

/**
 * The program's platform in the process of a test: streams that lead nowhere, an empty environment, a parent that never ends and no
 * program that can be started, except for what `parts` says.
 */
export function testPlatform(parts: Partial<Platform> = {}): Platform {
  return {
    ...systemPlatform(''),
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    env: {},
    watchParent: () => () => false,
    launch: async () => ({ kind: 'failed', reason: 'this test starts no programs' }),
    ...parts,
  };
}
