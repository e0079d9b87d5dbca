/**
 * Node's options that decide which certificates are trusted and which TLS versions are used. The list is strict because other options
 * load code (`--require`), open ports (`--inspect`) or write keys to disk (`--tls-keylog`).
 */
const SWITCHES = new Set([
  ...['use-openssl-ca', 'use-bundled-ca', 'use-system-ca'].flatMap((name) => [`--${name}`, `--no-${name}`]),
  ...['1.0', '1.1', '1.2', '1.3'].map((version) => `--tls-min-v${version}`),
  ...['1.2', '1.3'].map((version) => `--tls-max-v${version}`),
]);
const WITH_VALUE = '--tls-cipher-list';
/** An OpenSSL cipher string: names, `!`, `+`, `-`, `@SECLEVEL=0`. */
const CIPHERS = /^[\w!+:@=.,-]{1,4096}$/;

/** Keeps those of Node's arguments (`process.execArgv`) that decide about certificates and TLS. */
export function certificateFlags(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    const [name = '', ...value] = arg.split('=');
    // Node accepts underscores for dashes in the names of its options.
    const option = name.replaceAll('_', '-');
    if (option === WITH_VALUE) {
      const ciphers = value.length > 0 ? value.join('=') : (args[at + 1] ?? '');
      const isValue = value.length > 0 || !ciphers.startsWith('-');
      return isValue && CIPHERS.test(ciphers) ? [`${WITH_VALUE}=${ciphers}`] : [];
    }
    return SWITCHES.has(option) && value.length === 0 ? [option] : [];
  });
}

/** The same for the value of NODE_OPTIONS; '' if nothing is left. */
export function certificateOptions(nodeOptions: string): string {
  // No flag that is kept contains a space or a quote, so they can be joined.
  return certificateFlags(splitOptions(nodeOptions)).join(' ');
}

/** Splits NODE_OPTIONS as Node does: at spaces outside double quotes; within quotes a backslash escapes the next character. */
function splitOptions(text: string): string[] {
  const words: string[] = [];
  let isQuoted = false;
  let isNew = true;
  for (let at = 0; at < text.length; at++) {
    let character = text.charAt(at);
    if (character === '\\' && isQuoted) character = text.charAt(++at);
    else if (character === ' ' && !isQuoted) {
      isNew = true;
      continue;
    } else if (character === '"') {
      isQuoted = !isQuoted;
      continue;
    }
    if (isNew) words.push('');
    isNew = false;
    words[words.length - 1] += character;
  }
  return words;
}
