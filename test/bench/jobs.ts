import type { Subject } from './links/link.ts';
import type { Kind } from './messages.ts';

/** One thing that the host is to do and to measure; it does so in a process of its own, started for it. */
export type Work =
  /** From the start of the process to the answer to `initialize`, and from the end of stdin to its exit. */
  | { readonly kind: 'start' }
  /** Memory after the first call; with the port of an engine also how often the bridge asks it while it serves so many calls. */
  | { readonly kind: 'rest'; readonly calls: number; readonly engine?: number }
  /** A cancellation, the first call after sleep, and the end of the process after a signal and without a reader. */
  | { readonly kind: 'ends' }
  /** The least that any program in this Node takes to its first byte. */
  | { readonly kind: 'bare-start'; readonly node: string }
  /** Small calls, one after the other and side by side, with memory and processor time. */
  | { readonly kind: 'calls'; readonly count: number; readonly load: number }
  | { readonly kind: 'notifications'; readonly count: number }
  | { readonly kind: 'large'; readonly bytes: number; readonly way: Kind | 'arguments' }
  | { readonly kind: 'sizes'; readonly bytes: readonly number[] }
  | { readonly kind: 'in-flight'; readonly levels: readonly number[]; readonly count: number }
  | { readonly kind: 'session'; readonly marks: readonly number[] }
  | { readonly kind: 'instances'; readonly count: number };

export interface Job {
  readonly subject: Subject;
  readonly work: Work;
}
