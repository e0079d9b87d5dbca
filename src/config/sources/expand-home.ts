/** Expands `~/…` as a shell would, since hosts start programs without a shell. */
export function expandHome(path: string, home: string | undefined): string {
  return home !== undefined && home !== '' && /^~[\\/]/.test(path) ? home + path.slice(1) : path;
}
