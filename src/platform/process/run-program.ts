import { execFile } from 'node:child_process';

/** How a program ended, and what it printed; `output`: on stdout and stderr. */
export type ProgramEnd =
  | { readonly kind: 'done'; readonly output: string; readonly stdout: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly output: string };

/** More output is not read, and ends the program. */
const OUTPUT_MAX_BYTES = 1024 ** 2;

/** Runs a program to its end, at most `limitMs`, with this environment and without a shell. Never rejects. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly limitMs: number },
): Promise<ProgramEnd> {
  const { env, limitMs } = options;
  return new Promise((resolve) => {
    try {
      const child = execFile(
        command,
        [...args],
        { env: { ...env }, timeout: limitMs, maxBuffer: OUTPUT_MAX_BYTES, windowsHide: true },
        (error, stdout, stderr) => {
          const output = `${stdout}${stderr}`.trim();
          if (error === null) return resolve({ kind: 'done', output, stdout });
          const reason = error.killed
            ? `did not end within ${limitMs / 1000} seconds`
            : `failed (${error.code ?? error.signal ?? error.message})`;
          resolve({ kind: 'failed', reason, output });
        },
      );
      child.stdin?.end();
    } catch (error) {
      // Thrown for a NUL in an argument and for batch files on Windows.
      resolve({ kind: 'failed', reason: error instanceof Error ? error.message : String(error), output: '' });
    }
  });
}
