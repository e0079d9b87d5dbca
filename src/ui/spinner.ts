import type { Clock } from '../platform/clock.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 80;
/** Moves to the beginning of the line and clears it (ECMA-48 EL). */
const CLEAR = '\r\u001b[2K';

/** Shows a spinner next to `text` until `stop` is called, which clears the line. Without `draw` (stderr is not a terminal) it does nothing. */
export function spin(
  text: string,
  clock: Clock,
  draw: ((text: string) => void) | undefined,
): { readonly stop: () => void } {
  if (draw === undefined) return { stop: () => {} };
  const over = new AbortController();
  const turn = async () => {
    for (let frame = 0; ; frame++) {
      draw(`${CLEAR}${FRAMES[frame % FRAMES.length]} ${text}`);
      await clock.sleep(FRAME_MS, over.signal);
    }
  };
  turn().catch(() => draw(CLEAR));
  return { stop: () => over.abort() };
}
