/** A function that draws on the terminal, for output that is not a log line; undefined if stderr is not a terminal or has to stay silent. */
export function terminalDraw(silent: boolean): ((text: string) => void) | undefined {
  const { stderr } = process;
  if (silent || !stderr.isTTY) return undefined;
  return (text) => void stderr.write(text);
}
