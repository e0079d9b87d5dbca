import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { withoutUndefined } from '../without-undefined.ts';

/** A program that answers one question. */
export interface ToolRequest {
  /** An absolute path: there is no search. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the program: nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Written to the program's stdin, which is then closed. */
  readonly stdin: string;
  readonly limitMs: number;
}

/** How a program ended, and what it printed. */
export type ToolEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'timed-out' }
  /** `code`: the system's, such as ENOENT, if the program did not start. */
  | { readonly kind: 'failed'; readonly reason: string; readonly code?: string };

export type RunTool = (request: ToolRequest) => Promise<ToolEnd>;

/** Of stdout and of stderr each; answers have some hundred bytes. */
const OUTPUT_MAX_BYTES = 64 * 1024;

/**
 * Runs a program to its end, without a shell, with stdin and both outputs separate from ours. It runs in its own session: it has no terminal for prompts, and
 * at the time limit all its descendants end with it, on Windows only the program itself. The same happens when this process exits. Never rejects.
 */
export const runTool: RunTool = ({ command, args, env, stdin, limitMs }) =>
  new Promise((resolve) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(command, [...args], {
        env: { ...env },
        // This process's working folder may be gone, or belong to a project.
        cwd: dirname(command),
        stdio: 'pipe',
        detached: process.platform !== 'win32',
        shell: false,
        windowsHide: true,
      });
    } catch (error) {
      // Thrown for a NUL in an argument or variable, and for EAGAIN and similar errors.
      return resolve(notStarted(error));
    }
    let exitCode: number | undefined;
    const [stdout, stderr] = [new Output(), new Output()];
    const kill = () => killGroup(child);
    const settle = (end: ToolEnd) => {
      clearTimeout(timer);
      process.removeListener('exit', kill);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      resolve(end);
    };
    const exited = (code: number): ToolEnd => ({
      kind: 'exited',
      code,
      stdout: stdout.text(),
      stderr: stderr.text(),
    });
    const timer = setTimeout(() => {
      kill();
      // Its background processes may keep its outputs open.
      settle(exitCode === undefined ? { kind: 'timed-out' } : exited(exitCode));
    }, limitMs);
    process.once('exit', kill);
    for (const [stream, output] of [
      [child.stdout, stdout],
      [child.stderr, stderr],
    ] as const) {
      stream.on('data', (bytes: Buffer) => {
        if (output.add(bytes)) return;
        kill();
        settle({ kind: 'failed', reason: `printed more than ${OUTPUT_MAX_BYTES / 1024} KiB` });
      });
    }
    child.once('error', (error) => settle(notStarted(error)));
    child.once('exit', (code) => {
      exitCode = code ?? undefined;
    });
    child.once('close', (code, signal) =>
      settle(code === null ? { kind: 'failed', reason: `was ended (${signal})` } : exited(code)),
    );
    // A program that ends before it reads breaks the pipe; its end is noticed above.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });

class Output {
  #bytes = 0;
  readonly #chunks: Buffer[] = [];

  /** False if there is too much output. */
  add(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes <= OUTPUT_MAX_BYTES) this.#chunks.push(bytes);
    return this.#bytes <= OUTPUT_MAX_BYTES;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill();
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

function notStarted(error: unknown): ToolEnd {
  const { code } = error as NodeJS.ErrnoException;
  const reason = code ?? (error instanceof Error ? error.message : String(error));
  return { kind: 'failed', reason: `did not start (${reason})`, ...withoutUndefined({ code }) };
}
