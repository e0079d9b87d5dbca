import { nearest } from '../../config/commands/nearest.ts';
import type { InstallSettings } from '../../config/config.ts';
import { describeError, UsageError } from '../../errors.ts';
import { type ApplyDeps, applyPlan } from '../../install/apply.ts';
import type { TakenLogin } from '../../install/entry/mcp-remote.ts';
import type { FoundHost } from '../../install/files/found-hosts.ts';
import { hostIds } from '../../install/hosts/hosts.ts';
import { printedHosts } from '../../install/hosts/printed-hosts.ts';
import type { HostPlan } from '../../install/plan.ts';
import { type Paint, planText, reloadText, shownText } from './show-plan.ts';

/** One line of a list to choose from. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint: string;
}

/** What `install` and `uninstall` need to show their plans and carry them out. */
export interface ChangeDeps {
  readonly settings: InstallSettings;
  /** Every host that has a file here; in a project, if one is given. */
  readonly find: () => Promise<readonly FoundHost[]>;
  readonly plan: (found: FoundHost) => Promise<HostPlan>;
  readonly apply: Omit<ApplyDeps, 'replan'>;
  /** Called before the first file is written. */
  readonly prepare: () => Promise<void>;
  /** Writes to stdout at once. */
  readonly say: (text: string) => void;
  readonly paint: Paint;
  /** Asks which hosts to change; resolves with undefined if the person cancels. Absent if there is no terminal. */
  readonly choose?:
    | ((question: string, choices: readonly Choice[]) => Promise<readonly string[] | undefined>)
    | undefined;
  /** Imports a login of mcp-remote; resolves with a message. */
  readonly takeOver?: (login: TakenLogin) => Promise<string>;
  readonly verb: 'install' | 'uninstall';
  /** What a person may do next, if something was changed. */
  readonly next?: string;
}

/** The outcome: `asked` if a question had no one to answer it, so that nothing was done. */
export type ChangeOutcome = 'done' | 'failed' | 'asked';

/** The hosts named by `--host`. Throws a UsageError for an unknown name. */
export function namedHosts(
  found: readonly FoundHost[],
  names: readonly string[],
  isProject: boolean,
): readonly FoundHost[] {
  return names.map((name) => {
    const host = found.find(({ id }) => id === name);
    if (host !== undefined) return host;
    const isKnown = hostIds.some((id) => id === name);
    const near = nearest(name, hostIds);
    throw new UsageError(
      isKnown
        ? `--host ${name}: ${isProject ? 'it has no file for a project' : 'it does not run on this system'}`
        : `--host ${name}: no such host`,
      {
        hint: isKnown
          ? 'leave it out; `hosts` lists what is on this machine'
          : `${near === undefined ? '' : `did you mean ${near}? `}The hosts are ${hostIds.join(', ')}; with --print also ${Object.keys(printedHosts).join(', ')}`,
      },
    );
  });
}

/** Shows what would change in each host, asks which to change, and changes those. */
export async function changeHosts(deps: ChangeDeps): Promise<ChangeOutcome> {
  const { settings, find, plan, say, paint } = deps;
  const all = await find();
  const isNamed = settings.hosts.length > 0;
  const found = isNamed ? namedHosts(all, settings.hosts, settings.isProject) : meant(all, deps);
  const plans: HostPlan[] = [];
  for (const each of found) {
    const made = await plan(each);
    const isShown = made.changes.length + made.same.length + made.refusals.length > 0;
    if (!isShown) continue;
    plans.push(made);
    say(`${planText(made, paint)}\n`);
  }
  const changing = plans.filter(({ changes }) => changes.length > 0);
  if (changing.length === 0) return nothingToDo(deps, plans, found.length);
  if (settings.isDryRun) return 'done';
  const chosen = isNamed || settings.isYes ? changing : await chosenOf(changing, deps);
  if (chosen === 'nobody') {
    say(
      `Nothing was changed: there is no terminal to ask in. Add --yes for all of these, or --host ${changing[0]?.found.id} for one.\n`,
    );
    return 'asked';
  }
  if (chosen.length === 0) {
    say('Nothing was changed.\n');
    return 'done';
  }
  await deps.prepare();
  let outcome: ChangeOutcome = plans.some(({ refusals }) => refusals.length > 0) ? 'failed' : 'done';
  const failed: HostPlan[] = [];
  for (const each of chosen) if (!(await carryOut(each, deps))) failed.push(each);
  if (failed.length > 0) outcome = 'failed';
  await takeOver(
    chosen.filter((each) => !failed.includes(each)),
    deps,
  );
  const changed = chosen.filter((each) => !failed.includes(each));
  if (changed.length > 0) say(`\n${changed.map((each) => `${reloadText(each)}\n`).join('')}`);
  if (changed.length > 0 && deps.next !== undefined) say(`${deps.next}\n`);
  return outcome;
}

/** The hosts found here. An entry to remove may also be in a file that only another user's host reads; each file is read once. */
function meant(all: readonly FoundHost[], { verb }: ChangeDeps): readonly FoundHost[] {
  return all
    .filter(({ isHere }) => isHere || verb === 'uninstall')
    .filter(({ file }, at, hosts) => hosts.findIndex((each) => each.file === file) === at);
}

function nothingToDo(
  { say, settings, verb }: ChangeDeps,
  plans: readonly HostPlan[],
  found: number,
): ChangeOutcome {
  if (plans.some(({ refusals }) => refusals.length > 0)) return 'failed';
  if (plans.length > 0) return 'done';
  if (verb === 'uninstall')
    say(`No host on this machine runs ${shownText(settings.target ?? '')} through mcp-drawbridge.\n`);
  else if (settings.replace !== undefined) say('No host on this machine runs mcp-remote.\n');
  else
    say(
      `${found === 0 ? 'No known host was found on this machine' : 'There is nothing to change'}. Name one with --host ID, or add --print.\n`,
    );
  return verb === 'uninstall' ? 'failed' : found === 0 && settings.replace === undefined ? 'failed' : 'done';
}

async function chosenOf(
  plans: readonly HostPlan[],
  { choose, verb }: ChangeDeps,
): Promise<readonly HostPlan[] | 'nobody'> {
  if (choose === undefined) return 'nobody';
  const choices = plans.map(({ found }) => ({
    value: found.id,
    label: found.host.name,
    hint: shownText(found.file),
  }));
  const chosen = await choose(
    verb === 'install' ? 'Install into which hosts?' : 'Uninstall from which hosts?',
    choices,
  );
  return plans.filter(({ found }) => chosen?.includes(found.id) === true);
}

async function carryOut(plan: HostPlan, { apply, plan: replan, say }: ChangeDeps): Promise<boolean> {
  const { host, file } = plan.found;
  try {
    const { backup } = await applyPlan(plan, { ...apply, replan: () => replan(plan.found) });
    say(
      `${host.name}: ${shownText(file)} changed${backup === undefined ? '' : `; as it was: ${shownText(backup)}`}\n`,
    );
    return true;
  } catch (error) {
    const hint =
      error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? ` ${error.hint}` : '';
    say(`${host.name}: not changed: ${shownText(`${describeError(error)}.${hint}`)}\n`);
    return false;
  }
}

/** Each login once, however many entries used it. */
async function takeOver(plans: readonly HostPlan[], deps: ChangeDeps): Promise<void> {
  const logins = plans.flatMap(({ changes }) =>
    changes.flatMap(({ login }) => (login === undefined ? [] : [login])),
  );
  const different = new Map(logins.map((login) => [JSON.stringify(login), login]));
  for (const login of different.values()) {
    const said = await deps.takeOver?.(login);
    if (said !== undefined) deps.say(`${shownText(said)}\n`);
  }
}
