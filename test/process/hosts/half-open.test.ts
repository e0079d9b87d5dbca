import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { hasNetworkNamespaces } from '../../peers/processes/tools.ts';

const SCRIPT = fileURLToPath(new URL('../../peers/faults/half-open.ts', import.meta.url));

// test/README.md, fault 4. The program waits 30 s before it probes ten times, one second apart: 41 s in all; the test lets it probe after one.
it.skipIf(!hasNetworkNamespaces()).each(['silent', 'silent-stream'])(
  'a half-open connection during a call (%s) is detected after ten probes, and the call ends',
  async (behaviour) => {
    const { stdout } = await promisify(execFile)('unshare', [
      '-rn',
      process.execPath,
      '--import',
      'tsx',
      SCRIPT,
      behaviour,
      '1000',
    ]);
    const { afterMs, answer } = JSON.parse(stdout);
    // The stream had begun: then the call is the server's, and not the way to it.
    const check = behaviour === 'silent' ? { check: 'tcp' } : {};
    expect(answer.error.data).toEqual({ mayHaveRun: true, ...check });
    expect(answer.error.message).toContain('ETIMEDOUT');
    // Ten pauses of a second cannot be shorter; a machine that is busy may be late.
    expect(afterMs).toBeGreaterThan(5_000);
  },
);
