/**
 * Tells whether the process that started this one has ended. On POSIX systems an orphan is given to another parent; Windows goes on naming the
 * old one.
 */
export function watchParent(): () => boolean {
  const parent = process.ppid;
  return () => process.ppid !== parent || !exists(parent);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
