import { release } from 'node:os';
import { browserCommands, type Desktop } from './browser-command.ts';
import { desktopEnvironment } from './child-environment.ts';
import { type Launch, launchDetached } from './child-process.ts';

/** Whether a browser was opened. */
export type BrowserOutcome =
  | { readonly kind: 'opened'; readonly command: string }
  /** The user has to be given the address instead. */
  | { readonly kind: 'not-opened'; readonly reason: string };

/** Opens a page in the user's browser. Rejects with BrowserAddressError for an address that is not safe to open. */
export type OpenBrowser = (address: string) => Promise<BrowserOutcome>;

/** How long to watch the opener: one that fails exits at once, and a browser in the foreground keeps running. */
const OPENER_WATCH_MS = 2_000;

/** Makes the function that opens the browser of this desktop. */
export function createBrowser(env: Desktop['env'], launch: Launch = launchDetached): OpenBrowser {
  const desktop: Desktop = { platform: process.platform, release: release(), env };
  return async (address) => {
    const failures: string[] = [];
    for (const { command, args } of browserCommands(desktop, address)) {
      const outcome = await launch({
        command,
        args,
        env: desktopEnvironment(env),
        watchMs: OPENER_WATCH_MS,
      });
      if (outcome.kind === 'running' || (outcome.kind === 'exited' && outcome.code === 0)) {
        return { kind: 'opened', command };
      }
      failures.push(
        `${command}: ${outcome.kind === 'failed' ? outcome.reason : `exit code ${outcome.code}`}`,
      );
    }
    return { kind: 'not-opened', reason: failures.join(', ') || 'there is no desktop to open a browser on' };
  };
}
