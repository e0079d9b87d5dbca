import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The built library, as a program imports it. */
export const LIBRARY: string = fileURLToPath(new URL('../../../dist/library/index.js', import.meta.url));

export interface ProgramEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the text of an ES module as a program in which the names of the library are known, and waits until it ends by itself. It is killed with the signal.
 */
export async function runLibraryProgram(
  text: string,
  env: Readonly<Record<string, string>>,
  { signal, onLine }: { readonly signal?: AbortSignal; readonly onLine?: (line: string) => void } = {},
): Promise<ProgramEnd> {
  const code = `import * as library from ${JSON.stringify(LIBRARY)};
    const { authorizedFetch, authorizedTransport, openLogin, DrawbridgeError, SignInNeededError } = library;
    ${text}`;
  const args = ['--input-type=module', '--eval', code];
  const child = spawn(process.execPath, args, {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' as const }),
  });
  child.on('error', () => 'the signal');
  let stdout = '';
  let stderr = '';
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine?.(line);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  return { code: exit, stdout: stdout.trim(), stderr: stderr.trim() };
}
