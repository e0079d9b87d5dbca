import { resolve } from 'node:path';
import { isLoopback } from '../../platform/http/loopback.ts';

/** The address of the engine that holds a shared store, checked. */
export interface StoreAddress {
  /** With one of the schemes below, the files of its query as absolute paths. May hold a password. */
  readonly url: string;
  /** The same without the password. */
  readonly shown: string;
  /** As `host:port`, or the host alone. */
  readonly hosts: readonly string[];
  /** The decoded password. */
  readonly password?: string | undefined;
  /** The first host to which a connection without TLS would leave this machine. */
  readonly plainTo?: string | undefined;
}

/** Written as the first of each pair; Valkey speaks the protocol of Redis. */
const SCHEMES: Readonly<Record<string, string>> = {
  redis: 'redis',
  rediss: 'rediss',
  valkey: 'redis',
  valkeys: 'rediss',
  'redis+sentinel': 'redis+sentinel',
  'rediss+sentinel': 'rediss+sentinel',
};

const EXPECTED =
  'file, memory or the address of a Redis or Valkey server: redis://, rediss://, redis+sentinel:// or rediss+sentinel://';

const QUERY_NAMES = ['ca', 'cert', 'key'];

/**
 * Reads `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, or with Sentinels `SCHEME://[…@]HOST[:PORT],…/NAME[/DATABASE]`, each with
 * `?ca=FILE&cert=FILE&key=FILE` where it uses TLS. The text of a fault completes "expected …" and holds nothing of the address but names of hosts.
 * Several hosts with ports are no URL of the WHATWG standard, so the parts are read here.
 */
export function readStoreAddress(text: string): StoreAddress | { readonly fault: string } {
  const parts =
    /^([a-z][a-z0-9+.-]*):\/\/(?:([^@/?#\s]*)@)?([^/?#@\s]*)(\/[^?#\s]*)?(?:\?([^#\s]*))?(#.*)?$/i.exec(text);
  if (parts === null) return { fault: EXPECTED };
  const [, written = '', user, places = '', path = '', query = '', fragment] = parts;
  const scheme = Object.hasOwn(SCHEMES, written.toLowerCase()) ? SCHEMES[written.toLowerCase()] : undefined;
  if (scheme === undefined) return { fault: EXPECTED };
  if (fragment !== undefined) return { fault: 'an address without a fragment (#…)' };
  const hosts = places.split(',');
  const isSentinel = scheme.endsWith('+sentinel');
  const fault =
    hostsFault(hosts, isSentinel) ??
    pathFault(path, isSentinel) ??
    queryFault(query, scheme.startsWith('rediss'));
  if (fault !== undefined) return { fault };
  const [name, password] = splitOnce(user ?? '', ':');
  if (!isEncoded(name) || !isEncoded(password ?? ''))
    return { fault: 'a user name and password that are percent-encoded' };
  const files = [...new URLSearchParams(query)].map(
    ([key, file]) => `${key}=${encodeURIComponent(resolve(file))}`,
  );
  const rest = `${hosts.join(',').toLowerCase()}${path}${files.length === 0 ? '' : `?${files.join('&')}`}`;
  const at = user === undefined || user === '' ? '' : '@';
  return {
    url: `${scheme}://${user ?? ''}${at}${rest}`,
    shown: `${scheme}://${name}${name === '' ? '' : '@'}${rest}`,
    hosts,
    password: password === undefined || password === '' ? undefined : decodeURIComponent(password),
    plainTo: scheme.startsWith('rediss')
      ? undefined
      : hosts.find((host) => !isLoopback(new URL(`http://${host}`))),
  };
}

function hostsFault(hosts: readonly string[], isSentinel: boolean): string | undefined {
  if (hosts.some((host) => host === '' || host.startsWith(':'))) return 'a host after ://';
  if (hosts.length > 1 && !isSentinel)
    return 'one host; several are for redis+sentinel:// and rediss+sentinel://';
  for (const host of hosts) {
    const [, port] = /^(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(host) ?? [undefined, 'none'];
    if (port === 'none') return 'a host name or an IP address after ://';
    if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65535)) return 'a port from 1 to 65535';
    if (!URL.canParse(`http://${host}`)) return 'a host name or an IP address after ://';
  }
  return undefined;
}

function pathFault(path: string, isSentinel: boolean): string | undefined {
  if (!isSentinel)
    return /^\/?\d{0,3}$/.test(path) ? undefined : 'the number of a database after the host, or nothing';
  return /^\/[\w.-]+(\/\d{1,3})?$/.test(path)
    ? undefined
    : 'the name that the Sentinels give to the primary after the hosts, such as /mymaster';
}

function queryFault(query: string, isTls: boolean): string | undefined {
  const given = [...new URLSearchParams(query)];
  if (given.length === 0) return undefined;
  const names = new Set(given.map(([name]) => name));
  if (names.size < given.length || given.some(([name, file]) => !QUERY_NAMES.includes(name) || file === ''))
    return `no more after ? than the files ${QUERY_NAMES.join(', ')}, each once`;
  if (!isTls) return 'rediss:// with a certificate';
  return names.has('cert') === names.has('key') ? undefined : 'cert and key together';
}

function splitOnce(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
