/** Mutants that no test can or should notice, each with the reason; the run fails on any other survivor, and on a line here that is out of date. */
export interface Survivor {
  readonly file: string;
  /** The line as it stands in the source, without the space around it. */
  readonly line: string;
  /** What the mutant makes of it. */
  readonly mutated: string;
  readonly reason: string;
}

export const SURVIVORS: readonly Survivor[] = [];
