import type { OwnProgram } from '../../install/entry/known-command.ts';
import type { FoundHost } from '../../install/files/found-hosts.ts';
import { entriesOf, type HostEntries, type HostEntry } from '../../install/plan.ts';
import { ownCommand } from '../../platform/program/program-command.ts';
import { table } from '../../ui/table.ts';
import { addressText, shownText } from './show-plan.ts';

/** A host on this machine, as `hosts --json` prints it. */
export interface HostReport {
  readonly id: string;
  readonly name: string;
  /** The file in use, whether it exists or not. */
  readonly file: string;
  /** Servers that it runs through this program. */
  readonly ours: readonly EntryReport[];
  readonly mcpRemote: readonly EntryReport[];
  /** The host supports servers with a sign-in by itself. */
  readonly direct: boolean;
  /** Why the file is unreadable, with line and column. */
  readonly fault?: string | undefined;
}

/** An entry by its name in the host, with the address of its server. */
export interface EntryReport {
  readonly name: string;
  readonly server: string | null;
}

/** `hosts`: the hosts on this machine, their files, and their entries of this program and of mcp-remote. Changes nothing. */
export async function hosts(found: readonly FoundHost[], own: OwnProgram): Promise<readonly HostReport[]> {
  const here = found.filter(({ isHere }) => isHere);
  return Promise.all(here.map(async (each) => report(each, await entriesOf(each, own))));
}

function report({ id, host, file }: FoundHost, { ours, mcpRemote, fault }: HostEntries): HostReport {
  const place = fault?.line === undefined ? '' : `line ${fault.line}, column ${fault.column}: `;
  return {
    id,
    name: host.name,
    file: shownText(file),
    ours: ours.map(entry),
    mcpRemote: mcpRemote.map(entry),
    direct: host.direct,
    fault: fault && shownText(`${place}${fault.reason}`),
  };
}

function entry({ name, server }: HostEntry): EntryReport {
  return { name: shownText(name), server: server === undefined ? null : addressText(server) };
}

/** The reports as a table. */
export function hostsTable(reports: readonly HostReport[]): string {
  if (reports.length === 0) return 'No known host was found on this machine.\n';
  const rows = reports.map(({ id, file, ours, mcpRemote, direct, fault }) => [
    id,
    ours.map(named).join(', '),
    mcpRemote.map(named).join(', '),
    direct ? 'yes' : 'no',
    fault === undefined ? file : `${file} (${fault})`,
  ]);
  const isRemote = reports.some(({ mcpRemote }) => mcpRemote.length > 0);
  return `${table(['HOST', 'MCP-DRAWBRIDGE', 'MCP-REMOTE', 'SIGNS IN ITSELF', 'FILE'], rows)}${
    isRemote
      ? `\nReplace the entries of mcp-remote, and import their logins: ${ownCommand('install', '--replace', 'mcp-remote')}\n`
      : ''
  }`;
}

function named({ name, server }: EntryReport): string {
  return server === null ? name : `${name} (${server})`;
}
