/** `~/…` as a shell would read it: hosts start programs without one. */
export function expandHome(path: string, home: string | undefined): string {
  return home !== undefined && home !== '' && /^~[\\/]/.test(path) ? home + path.slice(1) : path;
}
