import { DrawbridgeError } from '../../errors.ts';
import { isLoopback } from '../http/loopback.ts';

/** The address is not safe to hand to another program. */
export class BrowserAddressError extends DrawbridgeError {
  readonly code = 'browser';
}

/** The facts that decide how a browser is opened. */
export interface Desktop {
  readonly platform: NodeJS.Platform;
  /** The kernel's release, which distinguishes WSL from Linux. */
  readonly release: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A program and its arguments. */
export interface BrowserCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The commands to try in this order until one works; none if there is no desktop to open a browser on. Throws BrowserAddressError for an
 * address that is not safe to open.
 */
export function browserCommands(desktop: Desktop, address: string): readonly BrowserCommand[] {
  const url = safeAddress(address);
  const configured = desktop.env.BROWSER?.trim();
  // A configured browser is the only one tried: falling back to another could open a second tab.
  if (configured) return configuredCommands(configured, url, desktop.platform);
  switch (desktop.platform) {
    case 'darwin':
      return [{ command: '/usr/bin/open', args: [url] }];
    case 'win32':
      return [urlHandler(windowsFolder(desktop.env), '\\', url)];
    default:
      return unixCommands(desktop, url);
  }
}

/** Linux inside Windows, which opens the browser of Windows. */
export function isWsl({ release, env }: Pick<Desktop, 'release' | 'env'>): boolean {
  return Boolean(env.WSL_DISTRO_NAME) || /microsoft/i.test(release);
}

function unixCommands(desktop: Desktop, url: string): BrowserCommand[] {
  const { env } = desktop;
  const hasDisplay = Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY);
  const commands: BrowserCommand[] = [];
  // wslview passes the address to PowerShell, so it comes after the command that does not.
  if (isWsl(desktop))
    commands.push(urlHandler('/mnt/c/Windows', '/', url), { command: 'wslview', args: [url] });
  // Without a display xdg-open would open the address in a text browser that nobody sees.
  if (hasDisplay) {
    commands.push({ command: 'xdg-open', args: [url] }, { command: 'gio', args: ['open', url] });
    commands.push({ command: 'x-www-browser', args: [url] });
  }
  return commands;
}

/** Avoids cmd and PowerShell, which would interpret parts of the address as commands (.github/SECURITY.md, attack 2). */
function urlHandler(windows: string, separator: string, url: string): BrowserCommand {
  const command = [windows, 'System32', 'rundll32.exe'].join(separator);
  return { command, args: ['url.dll,FileProtocolHandler', url] };
}

/** An absolute path: Windows looks for a bare name in the current folder first. */
function windowsFolder(env: Desktop['env']): string {
  const named = env.SystemRoot ?? env.SYSTEMROOT ?? env.windir ?? '';
  return /^[a-z]:\\/i.test(named) ? named.replace(/\\+$/, '') : 'C:\\Windows';
}

/**
 * The address as it may be opened: https, or http to this machine, without a user name, with every character escaped that a shell might
 * interpret (.github/SECURITY.md, attacks 1–3). Throws BrowserAddressError.
 */
export function safeAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) throw new BrowserAddressError('the address to open is not a URL');
  const isLoopbackHttp = url.protocol === 'http:' && isLoopback(url);
  if (url.protocol !== 'https:' && !isLoopbackHttp) {
    throw new BrowserAddressError(
      `the address to open is neither https nor http on this machine (${url.protocol})`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new BrowserAddressError('the address to open contains a user name or password');
  }
  return url.href.replace(SHELL_CHARACTERS, percentEncode);
}

/** `&` and `%` stay, since a query needs them. No other character here has to be literal in a URL (RFC 3986 §2.2). */
const SHELL_CHARACTERS = /[^A-Za-z0-9\-._~:/?#[\]@!*+,=&%]/g;

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `$BROWSER`: commands separated like `PATH`, each with its arguments; `%s` stands for the address, `%%` for `%`. */
function configuredCommands(configured: string, url: string, platform: NodeJS.Platform): BrowserCommand[] {
  const isWindows = platform === 'win32';
  const commands: BrowserCommand[] = [];
  for (const words of splitCommands(configured, isWindows ? ';' : ':', isWindows ? '' : '\\')) {
    let isPlaced = false;
    const [command, ...args] = words.map((word) =>
      word.replace(/%[s%]/g, (mark) => {
        if (mark === '%%') return '%';
        isPlaced = true;
        return url;
      }),
    );
    if (command !== undefined) commands.push({ command, args: isPlaced ? args : [...args, url] });
  }
  return commands;
}

/** Splits words at white space outside quotes; expands nothing. */
function splitCommands(text: string, separator: string, escapeMark: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let quote = '';
  const endWord = () => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === escapeMark && quote !== "'" && at + 1 < text.length) word = (word ?? '') + text[++at];
    else if (quote !== '' && character === quote) quote = '';
    else if (quote !== '') word = (word ?? '') + character;
    else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === ' ' || character === '\t') endWord();
    else if (character === separator) {
      endWord();
      commands.push([]);
    } else word = (word ?? '') + character;
  }
  endWord();
  return commands.filter((words) => words.length > 0);
}
