import type { Store } from './store.ts';

/** A store in a folder of this machine. */
export interface FileStore extends Store {
  readonly folder: string;
}
