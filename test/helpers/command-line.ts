/** How long a program may take to end once its work is done. */
const LINGER_MS = 30_000;

/**
 * Runs a program of the tests, and sets the exit code that `run` returns. `--help` prints the usage. `read` throws a TypeError for a flag that it does not
 * take, as Node's `parseArgs` does: the message and the usage go to stderr, and the exit code is 2.
 * A process that something keeps alive after `run` prints what that is, and ends with the exit code of `run`: the work was done.
 */
export async function commandLine<Flags>(
  usage: string,
  read: (argv: readonly string[]) => Flags,
  run: (flags: Flags) => Promise<number>,
): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  let flags: Flags;
  try {
    flags = read(argv);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  process.exitCode = await run(flags);
  // Runs only if something keeps the process alive.
  setTimeout(() => {
    process.stderr.write(`still open after the end: ${process.getActiveResourcesInfo().join(', ')}\n`);
    process.exit();
  }, LINGER_MS).unref();
}

/** A whole number of a flag, at least `least`. */
export function wholeNumber(flag: string, text: string, least = 0): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number >= least) return number;
  throw new TypeError(`${flag} ${text}: expected a whole number${least > 0 ? ` from ${least}` : ''}`);
}
