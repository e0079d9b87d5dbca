import { DrawbridgeError } from '../errors.ts';
import type { ProgramEnd } from '../platform/process/run-program.ts';
import { shellCommand } from '../platform/program/shell-words.ts';
import { redactor } from '../redaction/secrets.ts';
import { reversed, type Splice } from './edit/splice.ts';
import {
  HostFileError,
  readHostFile,
  removeBackup,
  removeEmptyFolders,
  removeHostFile,
  type Written,
  writeHostFile,
} from './files/host-file.ts';
import { withHostLock } from './files/host-lock.ts';
import type { Journal, JournalEntry } from './files/journal.ts';
import { type EntryChange, type HostPlan, textAfter } from './plan.ts';

/** The host's own command failed. */
export class HostCommandError extends DrawbridgeError {
  readonly code = 'host_file';
}

/** What is needed to apply a plan. */
export interface ApplyDeps {
  readonly journal: Journal;
  /** Runs the host's own program. */
  readonly run: (program: string, args: readonly string[]) => Promise<ProgramEnd>;
  /** Plans again, for a file that has changed since it was read. */
  readonly replan: () => Promise<HostPlan>;
}

/** What was done. */
export interface Applied {
  readonly plan: HostPlan;
  /** The backup of the file, if one was made now. */
  readonly backup?: string | undefined;
  /** The first of the folders that were created for a file which is gone. */
  readonly emptied?: string | undefined;
}

/** Whether to use the host's own command: the host may rewrite its file at any time. */
export function usesOwnCommand({ found }: Pick<HostPlan, 'found'>): boolean {
  return found.host.commands !== undefined && !found.isProject;
}

/** Applies a plan. Rejects with HostFileError or HostCommandError; then nothing, or only a part, was changed. */
export async function applyPlan(plan: HostPlan, deps: ApplyDeps): Promise<Applied> {
  if (usesOwnCommand(plan)) return applyByCommand(plan, deps);
  const { host } = plan.found;
  const applied = await withHostLock(plan.file.path, host.lockStaleMs, async (folder) => {
    const now = await readHostFile(plan.found.file);
    const isSame = now.text === plan.file.text && now.exists === plan.file.exists;
    const current = isSame ? plan : await deps.replan();
    if (current.changes.length === 0) {
      const [refusal] = current.refusals;
      if (refusal !== undefined)
        throw new HostFileError(`${plan.found.file} was changed just now and ${refusal.reason}`);
      return { plan: current };
    }
    return write(current, deps.journal, folder);
  });
  // The lock was a folder in one of them.
  if (applied.emptied !== undefined) await removeEmptyFolders(plan.file.path, applied.emptied);
  return applied;
}

async function write(plan: HostPlan, journal: Journal, made: string | undefined): Promise<Applied> {
  const { file, changes } = plan;
  const text = textAfter(plan);
  const noted = await Promise.all(changes.map(({ path }) => journal.find(file.path, path)));
  const isEmptied = text === '' && noted.some((each) => each?.made === true);
  let written: Written = {};
  if (isEmptied) await removeHostFile(file.path);
  else written = await writeHostFile(file, text);
  for (const [at, change] of changes.entries()) {
    const before = noted[at];
    const origin: Pick<JournalEntry, 'made' | 'folder'> =
      before !== undefined && change.edit.first !== undefined
        ? before
        : { made: !file.exists && at === 0, folder: made ?? written.folder };
    await journal.put(
      { file: file.path, path: change.path },
      steps(change),
      undoOf(change, file.path, origin),
    );
  }
  if (changes.every(({ value }) => value === undefined)) await removeBackup(file.path);
  const emptied = isEmptied ? noted.find((each) => each?.made)?.folder : undefined;
  return { plan, backup: written.backup, emptied };
}

function steps({ edit }: EntryChange): readonly (readonly Splice[])[] {
  return edit.first === undefined ? [edit.splices] : [edit.first, edit.splices];
}

/** How to undo: a new entry, one that replaced mcp-remote's, or a new version of an unchanged one. */
function undoOf(
  { path, value, isThere, edit, login }: EntryChange,
  file: string,
  { made, folder }: Pick<JournalEntry, 'made' | 'folder'>,
): JournalEntry | undefined {
  const canUndo = value !== undefined && (!isThere || edit.first !== undefined || login !== undefined);
  return canUndo ? { file, path, undo: reversed(edit.splices), made, folder } : undefined;
}

async function applyByCommand(plan: HostPlan, { run }: ApplyDeps): Promise<Applied> {
  const { found, changes } = plan;
  const { host, program } = found;
  const commands = changes.flatMap(({ name, value, isThere }) => [
    // It refuses to add an existing name.
    ...(isThere ? [host.commands?.remove(name) ?? []] : []),
    ...(value === undefined ? [] : [host.commands?.add(name, JSON.stringify(value)) ?? []]),
  ]);
  const manual = commands.map((args) => shellCommand([host.program ?? '', ...args], process.platform));
  const hint = `Run this where it is: ${manual.join('; ')}`;
  if (program === undefined) {
    const reason = `${host.name} keeps rewriting ${found.file}, and its program is not on the path`;
    throw new HostCommandError(reason, { hint });
  }
  // Its command takes the entry as an argument, which every program on this machine can read (.github/SECURITY.md, attack 40).
  if (commands.some((args) => args.some((word) => redactor.redactRegistered(word) !== word))) {
    const reason = `an entry may contain a secret, and ${host.name} accepts entries only as arguments, which every program on this machine can read`;
    throw new HostCommandError(reason, {
      hint: 'Move it into a file first (--header-file, --client-secret-file), or end the host and change the entry in its file.',
    });
  }
  for (const args of commands) {
    const ended = await run(program, args);
    if (ended.kind === 'done') continue;
    const said = ended.output === '' ? '' : `: ${ended.output.split('\n').at(-1)}`;
    throw new HostCommandError(`${host.program} ${ended.reason}${said}`, { hint });
  }
  return { plan };
}
