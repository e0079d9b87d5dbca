import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../peers/faults/half-open.ts', import.meta.url));
/** A network of one's own needs Linux, user namespaces and `ip`. */
const possible = spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

// FAULTS 4. The program waits 30 s before it probes ten times, one second apart: 41 s in all; the test lets it probe after one.
it.skipIf(!possible).each(['silent', 'silent-stream'])(
  'a half-open connection under a call (%s) is noticed by ten probes, and the call ends',
  async (behaviour) => {
    const { stdout } = await promisify(execFile)('unshare', [
      ...['-rn', process.execPath, '--import', 'tsx', SCRIPT, behaviour, '1000'],
    ]);
    const { afterMs, answer } = JSON.parse(stdout);
    expect(answer.error.data).toEqual({ mayHaveRun: true });
    expect(answer.error.message).toContain('ETIMEDOUT');
    expect(afterMs).toBeGreaterThan(5_000);
    expect(afterMs).toBeLessThan(18_000);
  },
);
