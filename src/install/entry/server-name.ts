import { RESERVED_NAMES } from '../../config/options/install-options.ts';

const MAX_CHARACTERS = 40;
/** Labels that describe a server without identifying it. */
const GENERAL = new Set(['mcp', 'www', 'api', 'server', 'app', 'remote', 'sse', 'prod', 'gateway']);

/**
 * The name for a server in a host's file: the label of its host name that identifies its owner (`https://mcp.linear.app/sse` → `linear`). Letters, digits and
 * dashes, which every host accepts.
 */
export function serverNameOf({ hostname, port }: URL): string {
  if (hostname === 'localhost' || /^[\d.]+$|^\[/.test(hostname))
    return port === '' ? 'local' : `local-${port}`;
  const labels = hostname.toLowerCase().split('.');
  // The last label is the top-level domain, and so is a short one before it (`co.uk`).
  const end =
    labels.length > 2 && (labels.at(-2) ?? '').length <= 3 && (labels.at(-1) ?? '').length === 2 ? -2 : -1;
  const own = labels.slice(0, end).filter((label) => !GENERAL.has(label));
  const name = (own.at(-1) ?? labels[0] ?? '').replace(/[^a-z0-9-]/g, '').slice(0, MAX_CHARACTERS);
  return name === '' || RESERVED_NAMES.has(name) ? `${name}mcp` : name;
}

/** The first free one of `name`, `name-2`, `name-3`, …. */
export function freeName(name: string, taken: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`;
    const candidate = name.slice(0, MAX_CHARACTERS - suffix.length) + suffix;
    if (!taken(candidate)) return candidate;
  }
}
