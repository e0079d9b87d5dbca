/** Host and port of one server. An IPv6 address has no brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The address of a shared store on Redis or Valkey. */
export interface StoreUrl {
  readonly tls: boolean;
  /** The server; with `primary`, the Sentinels that know it. */
  readonly endpoints: readonly [Endpoint, ...Endpoint[]];
  /** The name that the Sentinels give to the primary; undefined: no Sentinels. */
  readonly primary: string | undefined;
  /** Undefined: the server's default user. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Files in PEM form: the authorities to trust beside Node's, a client certificate and its key. */
  readonly files: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

const FORM = /^(redis|valkey)(s?)(\+sentinel)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const ENDPOINT = /^(?:\[([0-9a-f:.]+)\]|([^[\]:\s]+))(?::(\d{1,5}))?$/i;
/** White space; control, format and surrogate characters: no address can contain the latter. */
const INVISIBLE = /[\s\p{C}]/u;
/** What nearly all addresses consist of; a look for Unicode's classes takes a millisecond the first time. */
const PLAIN = /^[\x21-\x7e]*$/;
const PORT = 6379;
const SENTINEL_PORT = 26_379;
const FILES = ['ca', 'cert', 'key'] as const;

/** What is wrong with an address, in words that follow "expected". They never quote the address, which may contain a password. */
export class StoreUrlFault {
  readonly expected: string;
  constructor(expected: string) {
    this.expected = expected;
  }
}

/**
 * Reads `rediss://USER:PASSWORD@HOST:PORT/DATABASE` and `rediss+sentinel://HOST,HOST:PORT/NAME/DATABASE`, both also without TLS (`redis`) and with
 * Valkey's names (`valkeys`, `valkey`); `?ca= &cert= &key=` name files. User, password, name and files are percent-encoded.
 */
export function parseStoreUrl(text: string): StoreUrl | StoreUrlFault {
  if (!PLAIN.test(text) && INVISIBLE.test(text))
    return fault('an address without blanks or control characters');
  if (text.includes('#')) return fault('an address without a fragment (#…)');
  const parts = FORM.exec(text);
  if (parts === null)
    return fault('an address with redis://, rediss://, redis+sentinel:// or rediss+sentinel://');
  const [, , secure, sentinel, userInfo, authority = '', path = '', query = ''] = parts;
  const tls = secure !== '';
  const endpoints = parseEndpoints(authority, sentinel === undefined ? PORT : SENTINEL_PORT);
  if (endpoints instanceof StoreUrlFault) return endpoints;
  if (sentinel === undefined && endpoints.length > 1)
    return fault('one host, or redis+sentinel:// for several');
  try {
    const place = parsePath(path, sentinel !== undefined);
    if (place instanceof StoreUrlFault) return place;
    const files = parseFiles(query, tls);
    if (files instanceof StoreUrlFault) return files;
    return { tls, endpoints, ...parseUserInfo(userInfo), ...place, files };
  } catch {
    // The message of decodeURIComponent quotes nothing, and neither does ours.
    return fault('user, password, name and files to be percent-encoded');
  }
}

/** The address in its canonical form. With the password, unless `shown`: for people. */
export function formatStoreUrl(url: StoreUrl, shown = false): string {
  const { tls, endpoints, primary, user, password, database, files } = url;
  const scheme = `redis${tls ? 's' : ''}${primary === undefined ? '' : '+sentinel'}`;
  const standard = primary === undefined ? PORT : SENTINEL_PORT;
  const secret = password === undefined || shown ? '' : `:${encodeURIComponent(password)}`;
  const userInfo = encodeURIComponent(user ?? '') + secret;
  const hosts = endpoints.map(({ host, port }) => formatEndpoint({ host, port }, standard)).join(',');
  const name = primary === undefined ? '' : `/${encodeURIComponent(primary)}`;
  const query = FILES.flatMap((file) =>
    files[file] === undefined ? [] : [`${file}=${encodeURIComponent(files[file])}`],
  );
  return [
    `${scheme}://${userInfo === '' ? '' : `${userInfo}@`}${hosts}`,
    `${name}${database === 0 ? '' : `/${database}`}`,
    query.length === 0 ? '' : `?${query.join('&')}`,
  ].join('');
}

/** `HOST:PORT`, an IPv6 address in brackets; without the port if it is `standard`. */
export function formatEndpoint({ host, port }: Endpoint, standard?: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === standard ? name : `${name}:${port}`;
}

/** The first host that is not this machine, as far as its name says; names under `.localhost` do not count as this machine. */
export function endpointElsewhere(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return endpoints.find(({ host }) => !/^(localhost|::1|127(\.\d{1,3}){3})$/i.test(host));
}

const fault = (expected: string): StoreUrlFault => new StoreUrlFault(expected);

function parseEndpoints(
  authority: string,
  standard: number,
): readonly [Endpoint, ...Endpoint[]] | StoreUrlFault {
  const found: Endpoint[] = [];
  for (const each of authority.split(',')) {
    const [, address, name, port] = ENDPOINT.exec(each) ?? [];
    const host = address ?? name;
    if (host === undefined) return fault('a host, or a host and a port, with an IPv6 address in brackets');
    const number = port === undefined ? standard : Number(port);
    if (number < 1 || number > 65_535) return fault('a port between 1 and 65535');
    found.push({ host: host.toLowerCase(), port: number });
  }
  return found as [Endpoint, ...Endpoint[]]; // a text has at least one part, even the empty one
}

/** Throws URIError for invalid encoding, like the next two. */
function parseUserInfo(text: string | undefined): Pick<StoreUrl, 'user' | 'password'> {
  const [user, password] = cutAt(':', text ?? '');
  return {
    user: user === '' ? undefined : decodeURIComponent(user),
    password: password === '' ? undefined : decodeURIComponent(password),
  };
}

/** The text before and after the first `separator`; all of it is before where there is none. */
function cutAt(separator: string, text: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function parsePath(path: string, hasName: boolean): Pick<StoreUrl, 'primary' | 'database'> | StoreUrlFault {
  const parts = path.split('/');
  const name = hasName ? parts.shift() : undefined;
  if (name === '')
    return fault('the name that the Sentinels give to the primary, as in rediss+sentinel://HOST,HOST/NAME');
  const [number = '', ...rest] = parts;
  if (rest.length > 0 || !/^\d{0,5}$/.test(number)) return fault('the number of a database after the last /');
  const primary = name === undefined ? undefined : decodeURIComponent(name);
  if (primary !== undefined && /\p{C}/u.test(primary)) return fault('a name without control characters');
  return { primary, database: Number(number) };
}

function parseFiles(query: string, tls: boolean): StoreUrl['files'] | StoreUrlFault {
  const files: { ca?: string; cert?: string; key?: string } = {};
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name, value] = cutAt('=', pair);
    const file = FILES.find((each) => each === name);
    if (file === undefined || value === '') return fault('only ca, cert, key after the ?, each with a file');
    files[file] = decodeURIComponent(value);
  }
  if ((files.cert === undefined) !== (files.key === undefined)) return fault('cert and key together');
  if (!tls && Object.keys(files).length > 0) return fault('rediss:// where a certificate is named');
  return files;
}
