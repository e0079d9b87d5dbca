import { release } from 'node:os';
import { browserCommands, type Desktop } from './browser-command.ts';
import { desktopEnvironment } from './child-environment.ts';
import { type Launch, launchDetached } from './child-process.ts';

export type BrowserOutcome =
  | { readonly kind: 'opened'; readonly command: string }
  /** The address has to be told to the person instead. */
  | { readonly kind: 'not-opened'; readonly reason: string };

/** Opens a page in the person's browser. Rejects with BrowserAddressError for an address that may not be opened. */
export type OpenBrowser = (address: string) => Promise<BrowserOutcome>;

/** An opener that cannot do its work says so at once; a browser in the foreground runs on. */
const OPENER_WATCH_MS = 2_000;

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
