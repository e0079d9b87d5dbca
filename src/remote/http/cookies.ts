import { keepSecret } from '../../redaction/secrets.ts';
import { MAX_COOKIE_CHARACTERS, MAX_COOKIES } from './limits.ts';
import type { Cookies } from './mcp-origin.ts';

interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly secure: boolean;
}

/** RFC 6265 §4.1.1 leaves out controls, white space, quotes, comma, semicolon and backslash; a header cannot hold controls in any case. */
const NAME = /^[!#$%&'*+\-.^_`|~\w]{1,256}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const VALUE = /^[^\x00-\x1f\x7f;]*$/;

/**
 * The cookies of one origin while the program runs, for load balancers that find the same server again by one. `Domain` and expiry dates do not
 * matter here: nothing goes to another host, nothing outlives the process; a cookie that is taken back (`Max-Age=0` or a date that is past) goes.
 */
export function createCookies(now: () => number): Cookies {
  const jar = new Map<string, Cookie>();
  return {
    header: (url) => {
      const fitting = [...jar].filter(
        ([, { path, secure }]) => pathMatches(url.pathname, path) && (!secure || url.protocol === 'https:'),
      );
      // Each time: of cookies that change with each answer the newest are remembered, and this one may be old.
      for (const [, { value }] of fitting) keepSecret(value, 'cookie');
      return fitting.length === 0
        ? undefined
        : fitting.map(([name, { value }]) => `${name}=${value}`).join('; ');
    },
    take: (url, setCookie) => {
      for (const text of setCookie) take(jar, url, text, now());
    },
  };
}

function take(jar: Map<string, Cookie>, url: URL, text: string, now: number): void {
  const [pair = '', ...attributes] = text.split(';');
  const equals = pair.indexOf('=');
  const name = pair.slice(0, equals).trim();
  const value = pair.slice(equals + 1).trim();
  if (equals < 1 || text.length > MAX_COOKIE_CHARACTERS || !NAME.test(name) || !VALUE.test(value)) return;
  const named = (wanted: string) =>
    attributes.map((one) => one.trim()).find((one) => one.toLowerCase().split('=', 1)[0] === wanted);
  const attribute = (wanted: string) =>
    named(wanted)
      ?.slice(wanted.length + 1)
      .trim();
  const path = attribute('path');
  jar.delete(name);
  if (isTakenBack(attribute('max-age'), attribute('expires'), now)) return;
  if (jar.size >= MAX_COOKIES) return;
  jar.set(name, {
    value,
    path: path?.startsWith('/') ? path : defaultPath(url.pathname),
    secure: named('secure') !== undefined,
  });
}

/** RFC 6265 §5.3: `Max-Age` wins over `Expires`; a date that cannot be read is none. */
function isTakenBack(maxAge: string | undefined, expires: string | undefined, now: number): boolean {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  return expires !== undefined && Date.parse(expires) <= now;
}

/** RFC 6265 §5.1.4. */
function defaultPath(pathname: string): string {
  const end = pathname.lastIndexOf('/');
  return end <= 0 ? '/' : pathname.slice(0, end);
}

function pathMatches(pathname: string, path: string): boolean {
  if (!pathname.startsWith(path)) return false;
  return pathname.length === path.length || path.endsWith('/') || pathname[path.length] === '/';
}
