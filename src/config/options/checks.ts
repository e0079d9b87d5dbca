import * as z from 'zod/mini';
import { isKeychainKind } from '../../protocol/keychain-kind.ts';

/** Makes a schema for an option's text from a function that returns the value, or `expected(…)` if the text is wrong. */
export function check<T>(read: (text: string) => T | Expected) {
  return z.pipe(
    z.string(),
    z.transform((text: string, context): T => {
      const value = read(text);
      if (!(value instanceof Expected)) return value;
      context.issues.push({ code: 'custom', message: `expected ${value.what}`, input: text });
      return z.NEVER;
    }),
  );
}

class Expected {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}
/** What `read` returns for a wrong text; `what` completes the message "expected …". */
export const expected = (what: string) => new Expected(what);

const SWITCH_WORDS = new Map<string, boolean>([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

/** A switch. */
export const onOff = check((text) => SWITCH_WORDS.get(text.toLowerCase()) ?? expected('true or false'));

/** Any text. */
export const anyText = check((text) => text);

/** A name that people read. */
export const shownName = check((text) =>
  /^[^\p{C}]{1,100}$/u.test(text) && text.trim() === text ? text : expected('a name of 1 to 100 characters'),
);

/** The name of a tool, in which `*` is any text. */
export const toolPattern = check((text) =>
  text.trim() === text && text !== '' ? text : expected('the name of a tool, in which * is any text'),
);

/** A keychain, which may not be there. */
export const keychain = check((text) =>
  isKeychainKind(text) ? text : expected('system, or helper:NAME for the program docker-credential-NAME'),
);

/** The path of a file or folder. */
export const filePath = check((text) => (text.includes('\0') ? expected('the path of a file') : text));

/** One of several words, each with its value. */
export function oneOf<const T extends Readonly<Record<string, unknown>>>(words: T) {
  return check((text): T[keyof T] | Expected =>
    Object.hasOwn(words, text) ? (words[text] as T[keyof T]) : expected(Object.keys(words).join(', ')),
  );
}

/** Reads seconds; the value is in milliseconds. */
export function seconds(range: { readonly least: number; readonly most: number }) {
  return check((text) => {
    const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    return value >= range.least && value <= range.most
      ? Math.round(value * 1000)
      : expected(`seconds, from ${range.least} to ${range.most}`);
  });
}

/** Accepts mcp-remote's `0` for "no limit", since there never is a limit here. */
export const zeroOnly = check((text) =>
  text === '0' ? 0 : expected('0, since there is never a limit here'),
);

const BYTE_UNITS = new Map([
  ['', 1],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
]);

/** Reads a size such as `32MiB`; the value is in bytes. */
export function byteCount(range: { readonly least: number; readonly most: number }) {
  return check((text) => {
    const [, digits, unit] = /^(\d{1,10}) ?([kmg]ib)?$/i.exec(text) ?? [];
    const value = Number(digits) * (BYTE_UNITS.get((unit ?? '').toLowerCase()) ?? Number.NaN);
    return value >= range.least && value <= range.most
      ? value
      : expected(
          `bytes, from ${range.least / 1024} KiB to ${range.most / 1024 ** 2} MiB, such as 33554432 or 32MiB`,
        );
  });
}

/** A TCP port. */
export const port = check((text) => {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 65535 ? value : expected('a port, from 1 to 65535');
});

/** The loopback host in the redirect URI. The listener binds to the loopback interfaces only. */
export const loopbackHost = check((text) => {
  if (text === '::1' || text === '[::1]') return '[::1]';
  return text === 'localhost' || text === '127.0.0.1' ? text : expected('127.0.0.1, localhost or [::1]');
});

const PATH_MAX_CHARACTERS = 200; // a longer one is a mistake

/** The path of the redirect URI. URL parsing must not change it, since servers compare it byte for byte with the registered one. */
export const callbackPath = check((text) => {
  const plain = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(text) && text.length <= PATH_MAX_CHARACTERS;
  return plain && !text.startsWith('//') && new URL(`http://localhost${text}`).pathname === text
    ? text
    : expected('a path such as /callback, without a query');
});

/** The name of a profile. */
export const profileName = check((text) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
    ? text
    : expected('a name of letters, digits, dots, dashes and underscores, at most 64'),
);

/** RFC 8707 §2: an absolute URI without a fragment. It is sent byte for byte, without normalization. */
export const resourceIndicator = check((text) =>
  /^[\x21-\x7e]+$/.test(text) && URL.canParse(text) && !text.includes('#')
    ? text
    : expected('an absolute URI without a fragment, such as https://example.com/mcp'),
);

/** A scope (RFC 6749 §3.3). */
export const scopeList = check((text) =>
  /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(text.trim())
    ? text.trim()
    : expected('scopes separated by single spaces'),
);

/** A bearer token (RFC 6750 §2.1), or any visible ASCII, since servers issue it; a space or line break would end the header value. */
export const bearerToken = check((text) =>
  /^[\x21-\x7e]+$/.test(text) ? text : expected('a token without spaces or line breaks'),
);
