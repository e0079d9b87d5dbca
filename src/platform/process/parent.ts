import { exists } from './exists.ts';

/**
 * Returns a function that tells whether the process that started this one has ended. On POSIX systems an orphan gets another parent;
 * Windows keeps reporting the old one.
 */
export function watchParent(): () => boolean {
  const parent = process.ppid;
  return () => process.ppid !== parent || !exists(parent);
}
