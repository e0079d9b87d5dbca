/** What a test asks of the agent; `id` is the process or the held file that it is about. */
export type AgentRequest =
  | {
      readonly id: number;
      readonly do: 'start';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
      /** The arguments are one command line as it stands, joined by spaces. */
      readonly verbatim: boolean;
    }
  | { readonly id: number; readonly do: 'stdin'; readonly data: string }
  | { readonly id: number; readonly do: 'end-stdin' | 'kill' | 'release' }
  | { readonly id: number; readonly do: 'hold'; readonly path: string };

export type AgentSays =
  | { readonly id: number; readonly is: 'started'; readonly pid: number }
  | { readonly id: number; readonly is: 'failed'; readonly reason: string }
  | { readonly id: number; readonly is: 'stdout' | 'stderr'; readonly data: string }
  | { readonly id: number; readonly is: 'exited'; readonly code: number | null }
  | { readonly id: number; readonly is: 'closed' | 'held' | 'released' };
