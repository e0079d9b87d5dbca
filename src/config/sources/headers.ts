import type { DrawbridgeError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import { type Given, refused } from '../options/option.ts';
import type { Environment } from './environment.ts';

/** A header to send to the MCP server. */
export type Header = readonly [name: string, value: string];

/** RFC 9110 §5.1: a token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5, as far as Node accepts it: no control characters except tab, nothing beyond Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers that carry the session, frame the message or belong to one connection; overriding them would break it. */
const OWN = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const OWN_PREFIXES = ['mcp-', 'proxy-', 'sec-'];

/** Names whose values are usually secrets. */
export const SECRET_NAME = /auth|cookie|credential|key|passw|secret|session|signature|token/i;

/** Reads `Name: value` lines, weakest source first; a later header replaces an earlier one of the same name. Throws UsageError or ConfigError. */
export function readHeaders(
  lines: readonly Given[],
  environment: Environment,
): { readonly headers: readonly Header[]; readonly warnings: readonly string[] } {
  const headers = new Map<string, Header>();
  const warnings: string[] = [];
  for (const line of lines) {
    const [name, value] = splitLine(line);
    if (line.source === 'flag' && SECRET_NAME.test(name) && !value.includes('${')) {
      warnings.push(
        `the value of ${name} is on the command line, where every program on this machine can read it; ` +
          `use --header '${name}: \${VARIABLE}' or --header-file`,
      );
    }
    headers.set(name.toLowerCase(), [name, expand(name, value, line, environment)]);
  }
  return { headers: [...headers.values()], warnings };
}

/** The lines of a header file, without blank lines and `#` comments. */
export function headerFileLines(text: string, file: string): readonly Given[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map(
      (line, index): Given => ({
        text: line,
        place: `line ${index + 1} of ${quote(file)}`,
        source: 'file',
      }),
    )
    .filter(({ text: line }) => !/^\s*(#|$)/.test(line));
}

/** Splits and checks a line. Its messages never show a value, or a text that may be one. */
function splitLine(line: Given): readonly [name: string, value: string] {
  const { text } = line;
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(colon, 0)).replace(/^[ \t]+|[ \t]+$/g, ''); // trim() takes line breaks too
  if (colon === -1 || name === '') throw refused(line, `expected 'Name: value', got no name`);
  if (!NAME.test(name)) throw refused(line, `the part before the colon is not a header name`);
  const own =
    OWN.has(name.toLowerCase()) || OWN_PREFIXES.some((prefix) => name.toLowerCase().startsWith(prefix));
  if (own) throw refused(line, `${name} is set by the bridge itself`);
  const raw = text.slice(colon + 1);
  if (!VALUE.test(raw)) throw badValue(name, line);
  const value = raw.trim();
  if (value !== '') return [name, value];
  throw refused(line, `${name} has no value`, {
    hint:
      `some hosts split arguments at spaces: write 'Name:value' with the value in a variable ('Name:\${VARIABLE}'), ` +
      'or use --header-file, --config or MCP_DRAWBRIDGE_HEADER',
  });
}

function expand(name: string, value: string, line: Given, environment: Environment): string {
  const expanded = value.replace(/\$\{([^{}]*)\}/g, (_, variable: string) => {
    const text = Object.hasOwn(environment, variable) ? environment[variable] : undefined;
    if (text !== undefined && text !== '') return text;
    throw refused(line, `${name} needs the environment variable ${quote(variable)}, which is not set`);
  });
  // Checked again after expansion: a line break in a variable would start another header (.github/SECURITY.md, attack 42).
  if (!VALUE.test(expanded)) throw badValue(name, line);
  return expanded;
}

function badValue(name: string, line: Given): DrawbridgeError {
  return refused(
    line,
    `the value of ${name} contains a line break or another character that is not allowed in a header`,
  );
}
