import { release } from 'node:os';
import { desktopEnvironment } from '../process/child-environment.ts';
import { type Launch, launchDetached } from '../process/child-process.ts';
import { browserCommands, type Desktop, isWsl, safeAddress } from './browser-command.ts';
import { findDesktopSession, type SessionPlaces, sessionPlaces } from './find-session.ts';
import { searchPath } from './user-environment.ts';

/** Whether a browser was opened. */
export type BrowserOutcome =
  | { readonly kind: 'opened'; readonly command: string }
  /** The user has to be given the address instead. */
  | { readonly kind: 'not-opened'; readonly reason: string };

/** Opens a page in the user's browser. Rejects with BrowserAddressError for an address that is not safe to open. */
export type OpenBrowser = (address: string) => Promise<BrowserOutcome>;

/** How long to watch the opener: one that fails exits at once, and a browser in the foreground keeps running. */
const OPENER_WATCH_MS = 2_000;

/** Creates the function that opens the browser of this desktop, even if the environment does not name the desktop. */
export function createBrowser(
  env: Desktop['env'],
  launch: Launch = launchDetached,
  places: SessionPlaces | undefined = sessionPlaces(),
): OpenBrowser {
  return async (address) => {
    const url = safeAddress(address);
    const failures: string[] = [];
    const { desktop, reason } = await findDesktop(env, places);
    for (const { command, args } of browserCommands(desktop, url)) {
      const outcome = await launch({
        command,
        args,
        env: desktopEnvironment({ ...desktop.env, BROWSER: desktop.env.BROWSER ?? desktop.sessionBrowser }),
        watchMs: OPENER_WATCH_MS,
      });
      if (outcome.kind === 'running' || (outcome.kind === 'exited' && outcome.code === 0)) {
        return { kind: 'opened', command };
      }
      failures.push(
        `${command}: ${outcome.kind === 'failed' ? outcome.reason : `exit code ${outcome.code}`}`,
      );
    }
    return { kind: 'not-opened', reason: failures.join(', ') || reason };
  };
}

/** Whether a page could be opened in front of the user of this machine: there is a desktop, or a browser was configured. */
export async function hasDesktop(
  env: Desktop['env'],
  places: SessionPlaces | undefined = sessionPlaces(),
): Promise<boolean> {
  const { desktop } = await findDesktop(env, places);
  return browserCommands(desktop, 'https://example.com/').length > 0;
}

interface FoundDesktop {
  readonly desktop: Desktop & { readonly sessionBrowser?: string | undefined };
  /** Why no browser can be opened, if so. */
  readonly reason: string;
}

async function findDesktop(env: Desktop['env'], places: SessionPlaces | undefined): Promise<FoundDesktop> {
  const here: Desktop = { platform: process.platform, release: release(), env };
  const none = 'there is no desktop to open a browser on';
  if (places === undefined || isWsl(here)) return { desktop: here, reason: none };
  const session = await findDesktopSession(env, places);
  const { BROWSER, ...variables } = session.kind === 'found' ? session.variables : {};
  return {
    // The session's BROWSER is for the opener to read. It would be a command of ours only if the host had passed it on.
    desktop: { ...here, env: { ...env, PATH: searchPath(env.PATH), ...variables }, sessionBrowser: BROWSER },
    reason: session.kind === 'none' ? session.reason : none,
  };
}
