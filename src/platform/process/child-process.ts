import { spawn } from 'node:child_process';

/** The program to start. */
export interface LaunchRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** How long to watch whether the child exits. */
  readonly watchMs: number;
}

/** What the child did within `watchMs`. */
export type LaunchOutcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'exited'; readonly code: number | null }
  | { readonly kind: 'failed'; readonly reason: string };

/** Starts a program that outlives this one. Never rejects. */
export type Launch = (request: LaunchRequest) => Promise<LaunchOutcome>;

/**
 * Starts the program without a shell, without inherited stdio (.github/SECURITY.md, attacks 2, 5) and in a separate session, so that the
 * end of this process does not affect it.
 */
export const launchDetached: Launch = ({ command, args, env, watchMs }) =>
  new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const settle = (outcome: LaunchOutcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(command, [...args], {
        env: { ...env },
        stdio: 'ignore',
        detached: true,
        shell: false,
        windowsHide: true,
      });
    } catch (error) {
      // Thrown for a NUL in an argument and for .bat files on Windows.
      return settle({ kind: 'failed', reason: codeOrMessage(error) });
    }
    child.once('error', (error) => settle({ kind: 'failed', reason: codeOrMessage(error) }));
    child.once('exit', (code) => settle({ kind: 'exited', code }));
    child.once('spawn', () => {
      child.unref();
      timer = setTimeout(() => settle({ kind: 'running' }), watchMs);
    });
  });

/** Why a process could not be started: the code of the system, or what the error says. */
export function codeOrMessage(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? (error instanceof Error ? error.message : String(error));
}
