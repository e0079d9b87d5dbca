import { describeError } from '../errors.ts';
import { type ConfigDocument, isRecord, type ReadValue, type Refusal, valueAt } from './edit/document.ts';
import { dialectOf, type Edit, readDocument, removeEntry, setEntry, undoEntry } from './edit/edit.ts';
import type { FoundCommand } from './entry/command-words.ts';
import { canonical, type KnownEntry, knownEntry, type OwnProgram } from './entry/known-command.ts';
import { type EntryRequest, makeEntry } from './entry/make-entry.ts';
import { type Conversion, convertMcpRemote, type TakenLogin } from './entry/mcp-remote.ts';
import { keepSecretsOf } from './entry/neighbours.ts';
import { freeName, serverNameOf } from './entry/server-name.ts';
import type { FoundHost } from './files/found-hosts.ts';
import { type HostFile, readHostFile } from './files/host-file.ts';
import type { Journal } from './files/journal.ts';
import type { ConfigObject, ConfigValue, Dialect, Entry } from './hosts/host.ts';

/** A change of one entry of a file. */
export interface EntryChange {
  readonly name: string;
  /** The keys that lead to the entry, its name included. */
  readonly path: readonly string[];
  readonly edit: Edit;
  /** The entry in the form of the host's own command; undefined if it is removed. */
  readonly value: ConfigObject | undefined;
  /** The entry existed before. */
  readonly isThere: boolean;
  /** The file of `--config` that the entry has named so far. */
  readonly settingsFile?: string | undefined;
  /** The login of mcp-remote that the entry used. */
  readonly login?: TakenLogin;
}

/** The changes in the file of one host. */
export interface HostPlan {
  readonly found: FoundHost;
  readonly file: HostFile;
  /** In this order, each applied to the text after the previous one. */
  readonly changes: readonly EntryChange[];
  readonly notes: readonly string[];
  /** Why nothing, or not everything, is done. */
  readonly refusals: readonly PlanRefusal[];
  /** The names of entries that need no change. */
  readonly same: readonly string[];
}

/** A step that is not done, and the entry to paste by hand. */
export interface PlanRefusal {
  readonly reason: string;
  /** Where in the file, from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly snippet?: string | undefined;
}

/** What every plan needs. */
export interface PlanDeps {
  readonly own: OwnProgram;
  readonly journal: Journal;
  readonly readFile: (path: string) => string;
}

/** The entries for `install` to write. */
export interface InstallRequest {
  readonly server: URL;
  readonly profile: string | undefined;
  readonly name: string | undefined;
  readonly entry: EntryRequest;
}

/** The text after all changes of a plan. */
export function textAfter({ file, changes }: HostPlan): string {
  return changes.at(-1)?.edit.after ?? file.text;
}

/** A file with its entries. */
interface OpenFile {
  readonly file: HostFile;
  readonly document: ConfigDocument;
  readonly dialect: Dialect;
  readonly entries: ReadonlyMap<string, KnownEntry>;
}

/** Reads a host's file; its secrets are redacted from all output. */
async function openHostFile(found: FoundHost, own: OwnProgram): Promise<OpenFile | HostPlan> {
  const nothing = { found, changes: [], notes: [], same: [] };
  let file: HostFile;
  try {
    file = await readHostFile(found.file);
  } catch (error) {
    const absent = { path: found.file, text: '', exists: true };
    return { ...nothing, file: absent, refusals: [{ reason: describeError(error) }] };
  }
  const document = readDocument(found.host.format, file.text);
  if (document.kind === 'refused') return { ...nothing, file, refusals: [refusalOf(document)] };
  const dialect = dialectOf(found.host.dialects, document.value);
  const servers = valueAt(document.value, dialect.keys);
  keepSecretsOf(servers);
  const entries = new Map(
    Object.entries(isRecord(servers) ? servers : {}).map(([name, value]) => [name, knownEntry(value, own)]),
  );
  return { file, document, dialect, entries };
}

function refusalOf({ reason, line, column }: Refusal, snippet?: string): PlanRefusal {
  return { reason, line, column, snippet };
}

/** Plans to write the entry of a server into the file of a host. */
export async function planInstall(
  found: FoundHost,
  request: InstallRequest,
  deps: PlanDeps,
): Promise<HostPlan> {
  const { host } = found;
  const { entry, notes } = makeEntry(request.entry, host);
  const opened = await openHostFile(found, deps.own);
  const wanted = request.name ?? serverNameOf(request.server);
  if (!('document' in opened)) {
    const dialect = host.dialects.at(-1) as Dialect;
    return {
      ...opened,
      refusals: opened.refusals.map((each) => ({
        ...each,
        snippet: snippetOf(found, dialect, wanted, entry),
      })),
    };
  }
  const { file, dialect, entries } = opened;
  const plan = { found, file, notes, changes: [], refusals: [], same: [] };
  const name = nameIn(entries, request, wanted);
  const snippet = snippetOf(found, dialect, name ?? wanted, entry);
  if (name === undefined) {
    const reason = `has an entry called ${wanted} that is another server; choose another --name`;
    return { ...plan, refusals: [{ reason, snippet }] };
  }
  const path = [...dialect.keys, name];
  const value = dialect.shape(entry);
  const edit = await edited(found, file, path, value, deps.journal);
  if (edit.kind === 'refused') return { ...plan, refusals: [refusalOf(edit, snippet)] };
  if (edit.after === file.text) return { ...plan, same: [name] };
  return {
    ...plan,
    changes: [
      { name, path, edit, value, isThere: entries.has(name), settingsFile: configIn(entries.get(name)) },
    ],
  };
}

/** The name to write: that of our entry for the same login, or a free one; undefined if the requested name belongs to another server. */
function nameIn(
  entries: ReadonlyMap<string, KnownEntry>,
  { server, profile, name }: InstallRequest,
  wanted: string,
): string | undefined {
  const address = canonical(server.href);
  const isSame = (known: KnownEntry | undefined) =>
    known?.kind === 'ours' && known.server === address && optionIn(known.args, '--profile') === profile;
  if (name !== undefined) {
    const known = entries.get(name);
    return known === undefined || known.kind === 'ours' ? name : undefined;
  }
  const own = [...entries].find(([, known]) => isSame(known));
  return own?.[0] ?? freeName(wanted, (each) => entries.has(each));
}

/** The value of an option in the arguments of an entry. */
function optionIn(args: readonly string[], flag: string): string | undefined {
  const at = args.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = args[at];
  if (word === undefined) return undefined;
  return word === flag ? args[at + 1] : word.slice(flag.length + 1);
}

function configIn(known: KnownEntry | undefined): string | undefined {
  return known?.kind === 'ours' ? optionIn(known.args, '--config') : undefined;
}

/** An entry that is unchanged since its installation is written as if for the first time, so that it can still be undone to the byte. */
async function edited(
  { host }: FoundHost,
  file: HostFile,
  path: readonly string[],
  value: ConfigObject,
  journal: Journal,
): Promise<Edit | Refusal> {
  const direct = setEntry(host.format, file.text, path, value);
  const noted = await journal.find(file.path, path);
  if (direct.kind === 'refused' || direct.splices.length === 0 || noted === undefined) return direct;
  const undone = undoEntry(host.format, file.text, path, noted.undo);
  if (undone === undefined) return direct;
  const again = setEntry(host.format, undone.after, path, value);
  return again.kind === 'refused' ? direct : { ...again, before: file.text, first: undone.splices };
}

/** Plans to remove our entries of a name or an address from the file of a host. */
export async function planUninstall(found: FoundHost, target: string, deps: PlanDeps): Promise<HostPlan> {
  const opened = await openHostFile(found, deps.own);
  if (!('document' in opened)) return opened;
  const { file, dialect, entries } = opened;
  const address = canonical(target);
  const changes: EntryChange[] = [];
  const refusals: PlanRefusal[] = [];
  for (const [name, known] of entries) {
    if (known.kind !== 'ours' || !(name === target || (address !== undefined && known.server === address)))
      continue;
    const path = [...dialect.keys, name];
    const text = changes.at(-1)?.edit.after ?? file.text;
    const noted = await deps.journal.find(file.path, path);
    const undone = noted && undoEntry(found.host.format, text, path, noted.undo);
    const edit = undone ?? removeEntry(found.host.format, text, path);
    if (edit.kind === 'refused') refusals.push(refusalOf(edit));
    else changes.push({ name, path, edit, value: undefined, isThere: true, settingsFile: configIn(known) });
  }
  return { found, file, changes, notes: [], refusals, same: [] };
}

/** Plans to turn the entries that run mcp-remote into ours; with `server` only those of that address. */
export async function planReplace(
  found: FoundHost,
  server: URL | undefined,
  base: EntryRequest,
  deps: PlanDeps,
): Promise<HostPlan> {
  const opened = await openHostFile(found, deps.own);
  if (!('document' in opened)) return opened;
  const { file, document, dialect, entries } = opened;
  const address = server && canonical(server.href);
  const changes: EntryChange[] = [];
  const notes: string[] = [];
  const refusals: PlanRefusal[] = [];
  for (const [name, known] of entries) {
    if (known.kind !== 'mcp-remote' || (address !== undefined && known.server !== address)) continue;
    const path = [...dialect.keys, name];
    const old = valueAt(document.value, path);
    const converted = convertMcpRemote(known.args, deps.readFile);
    if (converted.kind === 'unusable') {
      refusals.push({ reason: `${name} stays with mcp-remote: ${converted.reason}` });
      continue;
    }
    const made = makeEntry({ ...base, words: converted.args }, found.host);
    const value = replacing(old, dialect.shape(withVariables(made.entry, converted, known)));
    const text = changes.at(-1)?.edit.after ?? file.text;
    const edit = setEntry(found.host.format, text, path, value);
    if (edit.kind === 'refused') {
      refusals.push(refusalOf(edit, snippetOf(found, dialect, name, made.entry)));
      continue;
    }
    notes.push(...converted.notes.map((note) => `${name}: ${note}`), ...made.notes);
    const whole = { ...(isRecord(old) ? (old as ConfigObject) : {}), ...value };
    const login = {
      settings: converted.login,
      args: converted.args,
      env: { ...known.command.env, ...converted.env },
    };
    changes.push({ name, path, edit, value: whole, isThere: true, login });
  }
  return { found, file, changes, notes: [...new Set(notes)], refusals, same: [] };
}

/** The variables of the entry stay, and precede those of this machine. */
function withVariables(entry: Entry, { env }: Conversion & { kind: 'converted' }, known: KnownEntry): Entry {
  return { ...entry, env: { ...entry.env, ...known.command?.env, ...env } };
}

/** Members that describe the command are ours; other existing ones, such as `disabled`, stay unchanged. */
const COMMAND_MEMBERS = new Set(['command', 'args', 'env', 'environment']);

function replacing(old: ReadValue, value: ConfigObject): ConfigObject {
  if (!isRecord(old)) return value;
  const members = Object.entries(value).filter(
    ([key]) => COMMAND_MEMBERS.has(key) || !Object.hasOwn(old, key),
  );
  const isNested = isRecord(old.transport) && old.command === undefined;
  const flat: Readonly<Record<string, ConfigValue>> = Object.fromEntries(members);
  if (!isNested) return flat;
  const { command, args, env, ...others } = flat;
  const inner = Object.entries({ command, args, env }).filter(
    (each): each is [string, ConfigValue] => each[1] !== undefined,
  );
  return { ...others, transport: Object.fromEntries(inner) };
}

/** The entry as text, to be pasted into the file by hand. */
export function snippetOf(
  { host }: Pick<FoundHost, 'host'>,
  dialect: Dialect,
  name: string,
  entry: Entry,
): string {
  const made = setEntry(host.format, '', [...dialect.keys, name], dialect.shape(entry));
  return made.kind === 'edit' ? made.after : '';
}

/** The entries of this program and of mcp-remote in a host's file. */
export interface HostEntries {
  readonly ours: readonly HostEntry[];
  readonly mcpRemote: readonly HostEntry[];
  /** Why the file is unreadable. */
  readonly fault?: PlanRefusal;
}

/** An entry by name, with the canonical address of its server if known. */
export interface HostEntry {
  readonly name: string;
  readonly server: string | undefined;
  readonly args: readonly string[];
  readonly command: FoundCommand;
}

/** Reads a host's entries of this program and of mcp-remote. */
export async function entriesOf(found: FoundHost, own: OwnProgram): Promise<HostEntries> {
  const opened = await openHostFile(found, own);
  if (!('document' in opened))
    return { ours: [], mcpRemote: [], ...(opened.refusals[0] && { fault: opened.refusals[0] }) };
  const of = (kind: KnownEntry['kind']) =>
    [...opened.entries].flatMap(([name, known]) =>
      known.kind === kind && known.kind !== 'other'
        ? [{ name, server: known.server, args: known.args, command: known.command }]
        : [],
    );
  return { ours: of('ours'), mcpRemote: of('mcp-remote') };
}

/** The files of `--config` that entries of these hosts name. */
export async function usedSettings(
  found: readonly FoundHost[],
  own: OwnProgram,
): Promise<ReadonlySet<string>> {
  const entries = await Promise.all(found.map((each) => entriesOf(each, own)));
  return new Set(entries.flatMap(({ ours }) => ours.flatMap(({ args }) => optionIn(args, '--config') ?? [])));
}
