import { resolve } from 'node:path';
import {
  endpointElsewhere,
  formatEndpoint,
  formatStoreUrl,
  parseStoreUrl,
  StoreUrlFault,
} from '../../protocol/store-url.ts';

/** The address of the engine that holds a shared store, checked. */
export interface StoreAddress {
  /** As `parseStoreUrl` reads it, with absolute paths of files. May contain a password. */
  readonly url: string;
  /** The same without the password. */
  readonly shown: string;
  readonly password: string | undefined;
  /** The first host to which a connection without TLS would leave this machine. */
  readonly plainTo: string | undefined;
}

/** Reads the address of an engine. */
export function readStoreAddress(text: string): StoreAddress | StoreUrlFault {
  const parsed = parseStoreUrl(text.trim());
  if (parsed instanceof StoreUrlFault) return parsed;
  const { tls, endpoints, password } = parsed;
  // A host may start the program in any folder.
  const files = Object.fromEntries(Object.entries(parsed.files).map(([name, file]) => [name, resolve(file)]));
  const absolute = { ...parsed, files };
  const elsewhere = tls ? undefined : endpointElsewhere(endpoints);
  return {
    url: formatStoreUrl(absolute),
    shown: formatStoreUrl(absolute, true),
    password,
    plainTo: elsewhere && formatEndpoint(elsewhere),
  };
}
