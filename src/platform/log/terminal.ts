/** Writes to the terminal of stderr what is no line of a log; undefined where stderr is none, or has to stay silent. */
export function terminalDraw(silent: boolean): ((text: string) => void) | undefined {
  const { stderr } = process;
  if (silent || !stderr.isTTY) return undefined;
  return (text) => void stderr.write(text);
}
