import { describeError } from '../../errors.ts';

/** The settings under which mcp-remote stored a login: as written, before variables in them are expanded. */
export interface McpRemoteSettings {
  readonly server: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly resource: string | undefined;
  readonly authorizeParams: readonly (readonly [name: string, value: string])[];
  readonly clientMetadataUrl: string | undefined;
  readonly tokenEndpoint: string | undefined;
}

/** A login of mcp-remote, and the settings of the entry that imports it. */
export interface TakenLogin {
  readonly settings: McpRemoteSettings;
  readonly args: readonly string[];
  /** The variables of the entry. */
  readonly env: Readonly<Record<string, string>>;
}

/** The same command for this program, or why there is none. */
export type Conversion =
  | {
      readonly kind: 'converted';
      readonly args: readonly string[];
      /** Variables of the entry, for values that were arguments. */
      readonly env: Readonly<Record<string, string>>;
      /** What was left out, and why that changes little or nothing. */
      readonly notes: readonly string[];
      readonly login: McpRemoteSettings;
    }
  | { readonly kind: 'unusable'; readonly reason: string };

/** The flags of mcp-remote 0.15 with a value. */
const WITH_VALUE = new Set([
  'header',
  'header-file',
  'connect-timeout',
  'headers-timeout',
  'body-timeout',
  'ping-interval',
  'transport',
  'protocol',
  'host',
  'callback-path',
  'auth-success-url',
  'static-oauth-client-metadata',
  'static-oauth-client-info',
  'client-metadata-url',
  'token-endpoint',
  'resource',
  'authorize-param',
  'ignore-tool',
  'auth-timeout',
]);

/** The flags that mean the same here. */
const SAME = new Set([
  'header-file',
  'allow-http',
  'debug',
  'silent',
  'connect-timeout',
  'transport',
  'callback-path',
  'client-metadata-url',
  'disable-cookies',
  'use-id-token',
  'disable-resource-parameter',
  'authorize-param',
  'ignore-tool',
  'auth-timeout',
]);

/** mcp-remote pings every 30 seconds with `--keep-alive`. */
const KEEP_ALIVE_S = '30';
const SECRET_VARIABLE = 'CLIENT_SECRET';

/** Why a flag of mcp-remote is not needed here. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  'headers-timeout': 'there is no time limit for a call',
  'body-timeout': 'an idle stream is never closed',
  ipv4: 'IPv4 is tried alongside IPv6',
  'enable-proxy': 'proxies are always honoured',
  protocol: 'the revision is detected',
  'auth-success-url': 'the page after a sign-in is that of this program',
  'token-endpoint': 'the token endpoint is discovered',
};

/** Turns the arguments of mcp-remote, as its own parser reads them, into ours. `readFile` reads a file that an argument names. */
export function convertMcpRemote(words: readonly string[], readFile: (path: string) => string): Conversion {
  const { positionals, flags } = parse(words);
  const [server, port] = positionals;
  if (server === undefined || !URL.canParse(server))
    return { kind: 'unusable', reason: 'it names no address' };
  try {
    const converter = new Converter(readFile);
    for (const [name, value] of flags) converter.add(name, value);
    const args = [server, ...(port !== undefined && /^\d+$/.test(port) ? [port] : []), ...converter.args];
    return {
      kind: 'converted',
      args,
      env: converter.env,
      notes: converter.notes,
      login: { ...loginOf(flags), server },
    };
  } catch (error) {
    return { kind: 'unusable', reason: describeError(error) };
  }
}

type Flag = readonly [name: string, value: string];

/** mcp-remote accepts each flag anywhere, does not support `--flag=value`, and takes the first two remaining words for address and port. */
function parse(words: readonly string[]): {
  readonly positionals: readonly string[];
  readonly flags: readonly Flag[];
} {
  const flags: Flag[] = [];
  const positionals: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const name = word.startsWith('--') ? word.slice(2) : undefined;
    if (name === undefined) positionals.push(word);
    else if (WITH_VALUE.has(name) && at + 1 < words.length) flags.push([name, words[++at] as string]);
    else flags.push([name, '']);
  }
  return { positionals, flags };
}

function loginOf(flags: readonly Flag[]): Omit<McpRemoteSettings, 'server'> {
  const all = (wanted: string) => flags.filter(([name]) => name === wanted).map(([, value]) => value);
  const pairs = (texts: readonly string[], pattern: RegExp) =>
    texts.flatMap((text): (readonly [string, string])[] => {
      const [, name, value = ''] = pattern.exec(text) ?? [];
      return name === undefined ? [] : [[name.trim(), value]];
    });
  const isWithoutResource = flags.some(([name]) => name === 'disable-resource-parameter');
  return {
    headers: pairs(all('header'), HEADER),
    resource: isWithoutResource ? undefined : all('resource')[0]?.trim() || undefined,
    authorizeParams: pairs(all('authorize-param'), /^([^=]+)=(.*)$/s),
    clientMetadataUrl: all('client-metadata-url')[0]?.trim(),
    tokenEndpoint: all('token-endpoint')[0]?.trim(),
  };
}

/** The form of header that mcp-remote accepts; it ignores others. */
const HEADER = /^([A-Za-z0-9_-]+):\s*(.*)$/;

class Converter {
  readonly args: string[] = [];
  readonly env: Record<string, string> = {};
  readonly notes: string[] = [];
  readonly #readFile: (path: string) => string;

  constructor(readFile: (path: string) => string) {
    this.#readFile = readFile;
  }

  /** Throws an error for a JSON text or a file that cannot be read. */
  add(name: string, value: string): void {
    const reason = NOT_NEEDED[name];
    if (reason !== undefined) {
      this.notes.push(`--${name} is left out: ${reason}`);
      return;
    }
    switch (name) {
      case 'header':
        if (HEADER.test(value)) this.args.push('--header', value);
        return;
      case 'keep-alive':
        if (!this.args.includes('--ping-interval')) this.args.push('--ping-interval', KEEP_ALIVE_S);
        return;
      case 'ping-interval':
        this.#replacePing(value);
        return;
      case 'host':
        this.#host(value);
        return;
      case 'device-code':
        this.args.push('--grant', 'device_code');
        return;
      case 'client-credentials':
        this.args.push('--grant', 'client_credentials');
        return;
      case 'resource':
        if (value.trim() === '') this.args.push('--no-resource');
        else this.args.push('--resource', value.trim());
        return;
      case 'static-oauth-client-info':
        this.#client(this.#json(value));
        return;
      case 'static-oauth-client-metadata':
        this.#metadata(this.#json(value));
        return;
      default:
        this.#same(name, value);
    }
  }

  #same(name: string, value: string): void {
    if (!SAME.has(name)) this.notes.push(`--${name} is left out: mcp-remote does not know it either`);
    else this.args.push(`--${name}`, ...(WITH_VALUE.has(name) ? [value] : []));
  }

  #replacePing(value: string): void {
    const at = this.args.indexOf('--ping-interval');
    if (at === -1) this.args.push('--ping-interval', value);
    else this.args[at + 1] = value;
  }

  #host(value: string): void {
    if (['localhost', '127.0.0.1', '::1', '[::1]'].includes(value)) this.args.push('--callback-host', value);
    else this.notes.push('--host is left out: a sign-in only comes back to this machine');
  }

  #client({ client_id: id, client_secret: secret }: Readonly<Record<string, unknown>>): void {
    if (typeof id === 'string') this.args.push('--client-id', id);
    if (typeof secret !== 'string' || secret === '') return;
    const variable = /^\$\{(\w+)\}$/.exec(secret)?.[1];
    this.args.push('--client-secret-env', variable ?? SECRET_VARIABLE);
    if (variable === undefined) this.env[SECRET_VARIABLE] = secret;
  }

  #metadata(metadata: Readonly<Record<string, unknown>>): void {
    const { scope, ...others } = metadata;
    if (typeof scope === 'string' && scope !== '') this.args.push('--scope', scope);
    const names = Object.keys(others);
    if (names.length > 0)
      this.notes.push(
        `${names.join(', ')} of --static-oauth-client-metadata is left out: it is not asked for here`,
      );
  }

  #json(text: string): Readonly<Record<string, unknown>> {
    const json = text.startsWith('@') ? this.#readFile(text.slice(1)) : text;
    try {
      const value: unknown = JSON.parse(json);
      return typeof value === 'object' && value !== null ? { ...value } : {};
    } catch {
      // The error of JSON.parse quotes the text, which may contain a secret.
      throw new SyntaxError('an argument is not valid JSON');
    }
  }
}
