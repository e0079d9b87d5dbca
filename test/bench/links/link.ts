/** How the host of the bench reaches the server: by way of a bridge's command, or without one. */
export interface Link extends AsyncDisposable {
  /** The process in between; undefined: there is none. */
  readonly pid: number | undefined;
  /** Sends one request; resolves with its answer's length in bytes when that is there whole. */
  call(id: number, request: string | Buffer): Promise<number>;
  notify(message: string): Promise<void>;
  /** Messages of the server that were no answers, so far. */
  readonly notifications: number;
}

/** What a host may use for the way to the server. */
export type Subject =
  | { readonly kind: 'direct'; readonly url: string }
  | { readonly kind: 'fetch'; readonly url: string }
  | {
      readonly kind: 'command';
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    };

export async function openLink(subject: Subject): Promise<Link> {
  switch (subject.kind) {
    case 'direct':
      return new (await import('./direct-link.ts')).DirectLink(subject.url);
    case 'fetch':
      return new (await import('./fetch-link.ts')).FetchLink(subject.url);
    case 'command':
      return new (await import('./stdio-link.ts')).StdioLink(subject.argv, subject.env);
  }
}
