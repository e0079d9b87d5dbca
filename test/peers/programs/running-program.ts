import { type RawHost, startRawHost } from '../hosts/raw-host.ts';
import type { PackageFolder, ProgramName } from './package-folder.ts';

export interface ProgramOptions {
  /** Of the whole process; with `MCP_URL`. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

/** A consumer of the package as a process, which calls the tool `echo` when it is told to. */
export class RunningProgram implements AsyncDisposable {
  readonly host: RawHost;

  constructor(folder: PackageFolder, name: ProgramName, { env, nodeArgs = [] }: ProgramOptions) {
    this.host = startRawHost([], { env, nodeArgs, program: folder.program(name) });
  }

  /** The text of the tool's result; rejects with what the program says of its failure. */
  async call(value: number, timeoutMs = 30_000): Promise<string> {
    const { result, error } = await this.host.request('call', { value }, { timeoutMs });
    if (error !== undefined) throw new Error(error.message, { cause: error.data });
    return textOf(result);
  }

  /** Ends its stdin: it closes what it has, and ends when nothing is left to wait for. */
  async end(): Promise<{ readonly code: number | null; readonly stderr: string }> {
    this.host.endStdin();
    const { code } = await this.host.closed;
    this.host.assertPure();
    this.host.assertOneAnswerEach();
    return { code, stderr: this.host.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
  }
}

/** Of a CallToolResult, or of what a framework makes of it. */
function textOf(result: unknown): string {
  if (typeof result === 'string') return result;
  const { content = result } = (result ?? {}) as { content?: unknown };
  const [first] = [content].flat() as { text?: string }[];
  return first?.text ?? JSON.stringify(result);
}
