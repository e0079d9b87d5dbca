/** The flags of a command line, or undefined after `say` has explained what is wrong with them: `read` throws a TypeError for a bad one. */
export function flagsOrUsage<Flags>(
  read: () => Flags,
  usage: string,
  say: (text: string) => void,
): Flags | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    say(`${error.message}\n\n${usage}`);
    return undefined;
  }
}
