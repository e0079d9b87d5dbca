import { type EntryRequest, makeEntry } from '../../install/entry/make-entry.ts';
import { newFile } from '../../install/hosts/host.ts';
import { type HostId, hostIds, hostOf } from '../../install/hosts/hosts.ts';
import type { Place } from '../../install/hosts/place.ts';
import { type PrintedHostId, printedHostOf, printedHosts } from '../../install/hosts/printed-hosts.ts';
import { plain } from '../../install/hosts/shapes.ts';
import { snippetOf } from '../../install/plan.ts';
import { printable } from '../../platform/log/printable.ts';

/** Whether an entry for this host can only be printed. */
export function isPrinted(id: string): id is PrintedHostId {
  return Object.hasOwn(printedHosts, id);
}

/** The entry as text for each of these hosts, with its file, and a link if there is one. Without hosts: in the form used by most. */
export function entryText(name: string, request: EntryRequest, ids: readonly string[], place: Place): string {
  if (ids.length === 0) {
    const { entry } = makeEntry(request, { passes: 'all' });
    return `${JSON.stringify({ mcpServers: { [name]: plain(entry) } }, null, 2)}\n`;
  }
  return ids
    .map((id) => (isPrinted(id) ? printedText(name, request, id, place) : hostText(name, request, id, place)))
    .join('\n');
}

function printedText(name: string, request: EntryRequest, id: PrintedHostId, place: Place): string {
  const host = printedHostOf(id);
  const { entry, notes } = makeEntry(request, { passes: 'all' });
  return section(host.name, host.where(place), host.snippet(name, entry), host.link?.(name, entry), notes);
}

function hostText(name: string, request: EntryRequest, id: string, place: Place): string {
  const known = hostIds.find((each) => each === id) as HostId;
  const host = hostOf(known);
  const { entry, notes } = makeEntry(request, host);
  const dialect = host.dialects.at(-1);
  const snippet = dialect === undefined ? '' : snippetOf({ host }, dialect, name, entry);
  return section(host.name, newFile(host.files(place)) ?? '', snippet, host.link?.(name, entry), notes);
}

function section(
  host: string,
  where: string,
  snippet: string,
  link: string | undefined,
  notes: readonly string[],
): string {
  const lines = [
    `${host}: ${printable(where)}`,
    '',
    ...snippet.trimEnd().split('\n'),
    '',
    ...notes.map((note) => `Note: ${note}`),
    ...(link === undefined ? [] : [`Or open: ${link}`]),
  ];
  return `${lines.join('\n')}\n`;
}
