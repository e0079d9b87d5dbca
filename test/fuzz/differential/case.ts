/** What is asked of each library: to sign in with these documents, or to read this challenge. */
export type Case = DocumentCase | ChallengeCase;

export interface DocumentCase {
  readonly about: 'resource' | 'authorization';
  /** The names of what is not plain about it; none: a document as most servers have it. */
  readonly features: readonly string[];
  /** RFC 9728 and RFC 8414 documents, as they come. */
  readonly resource: string;
  readonly authorization: string;
}

export interface ChallengeCase {
  readonly about: 'challenge';
  readonly features: readonly string[];
  readonly header: string;
}

/** The MCP server that the user named, and the authorization server that it names. */
export const SERVER = 'https://mcp.example/a/mcp';
export const ISSUER = 'https://as.example/tenant';

/** `valid`: the specifications allow it. `odd`: they do not, and servers do it. `hostile`: nobody does it who means well. */
export type Sort = 'valid' | 'odd' | 'hostile';

/** One thing that is not plain. Two that change the same `part` are not combined. */
export interface Feature<T> {
  readonly name: string;
  readonly sort: Sort;
  readonly part: string;
  readonly apply: (plain: T) => T;
}

/** What a library makes of a case: the same names for all, so that they can be compared. */
export type Outcome =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'accepted'; readonly values: Readonly<Record<string, string | undefined>> };

export type Library = 'sdk 1' | 'sdk 2' | 'oauth4webapi';
