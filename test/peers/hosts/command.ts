import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { PROGRAM } from './host.ts';

export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the built program as a command: what it prints and how it ends. */
export class Command {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<CommandEnd>;
  #stdout = '';
  #stderr = '';
  #watchers = new Set<() => void>();

  /** `before`: a program that starts this one, with its arguments. */
  constructor(
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    program: string = PROGRAM,
    before: readonly string[] = [],
  ) {
    const [command = process.execPath, ...words] = [...before, process.execPath, program, ...argv];
    this.child = spawn(command, words, { env: { ...env }, stdio: 'pipe' });
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString('utf8');
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString('utf8');
      for (const watcher of [...this.#watchers]) watcher();
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr }));
    });
  }

  /** Resolves with the match once stderr holds it; rejects where the program ends without. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(this.#stderr);
        if (found === null) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      void this.ended.then(({ stderr }) => reject(new Error(`ended without ${pattern}: ${stderr}`)));
      look();
    });
  }

  send(text: string): void {
    this.child.stdin.write(text);
  }
}

/** Runs the built program to its end with this on its stdin. */
export function runProgram(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin = '',
  program: string = PROGRAM,
): Promise<CommandEnd> {
  const command = new Command(argv, env, program);
  command.child.stdin.end(stdin);
  return command.ended;
}
