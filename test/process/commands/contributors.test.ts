import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = new URL('../../..', import.meta.url).pathname;
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

/** The programs that `npm run` starts with flags of their own; `test:wine` hands its flags to vitest. */
const programs = Object.entries(scripts).flatMap(([name, command]) => {
  const [, file] = /tsx (test\/\S+\/(?:main|run)\.ts)$/.exec(command) ?? [];
  return file === undefined || name === 'test:wine' ? [] : [[name, file] as const];
});

function run(file: string, flag: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, flag], { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

describe('each program of the tests', () => {
  test('is found', () => {
    const names = [
      'bench',
      'chaos',
      'demo',
      'fuzz',
      'model',
      'mutate',
      'storm',
      'test:conformance',
      'test:hosts',
    ];
    expect(programs.map(([name]) => name).sort()).toEqual(names);
  });

  test.each(programs)(
    '%s ends with 2 for a flag that it does not know, and says which there are',
    async (name, file) => {
      const { code, stdout, stderr } = await run(file, '--nope');
      expect(stderr).toContain("Unknown option '--nope'");
      expect(stderr).toContain(`npm run ${name} -- [`);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    },
  );

  test.each(programs)('%s --help', async (name, file) => {
    const { code, stdout } = await run(file, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`npm run ${name} -- [`);
  });
});
