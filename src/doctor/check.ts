import { CHECKS, type CheckId, type DrawbridgeError, describeError } from '../errors.ts';

/** The result of one check. */
export type Finding =
  | { readonly status: 'ok'; readonly text: string }
  /** It works, but not as it should, or not everywhere. */
  | { readonly status: 'warning'; readonly text: string; readonly wayOut?: string | undefined }
  | { readonly status: 'failure'; readonly text: string; readonly wayOut?: string | undefined }
  /** `text` says why there was nothing to check. */
  | { readonly status: 'skipped'; readonly text: string };

export type CheckResult = Finding & { readonly id: CheckId };

/** A check reads and changes nothing. It may reject: that is a failure, with the error's own message. */
export interface Check {
  readonly id: CheckId;
  /** If one of these failed or was skipped, this check is skipped. */
  readonly needs?: readonly CheckId[];
  readonly run: (signal: AbortSignal) => Promise<Finding> | Finding;
}

export const ok = (text: string): Finding => ({ status: 'ok', text });
export const skipped = (text: string): Finding => ({ status: 'skipped', text });
export const warning = (text: string, wayOut?: string): Finding => ({ status: 'warning', text, wayOut });
export const failure = (text: string, wayOut?: string): Finding => ({ status: 'failure', text, wayOut });

/** The program's own error, worded as in the bridge. */
export const failureOf = (error: DrawbridgeError): Finding => failure(describeError(error), error.hint);

/** Longer than all time limits of the requests in one check. */
const CHECK_LIMIT_MS = 45_000;

/** Runs the checks one after the other. `onResult` is called with each result immediately. Rejects only with the signal's reason. */
export async function runChecks(
  checks: readonly Check[],
  signal: AbortSignal,
  onStart: (id: CheckId) => void,
  onResult: (result: CheckResult) => void,
): Promise<readonly CheckResult[]> {
  const results = new Map<CheckId, CheckResult>();
  for (const check of checks) {
    onStart(check.id);
    const finding = skippedFor(check, results) ?? (await look(check, signal));
    signal.throwIfAborted();
    const result = { id: check.id, ...finding };
    results.set(check.id, result);
    onResult(result);
  }
  return [...results.values()];
}

function skippedFor({ needs = [] }: Check, results: ReadonlyMap<CheckId, CheckResult>): Finding | undefined {
  for (const id of needs) {
    const status = results.get(id)?.status;
    if (status === 'failure') return skipped(`because ${id} failed`);
    if (status === 'skipped') return skipped(`because ${id} was skipped`);
  }
  return undefined;
}

async function look(check: Check, signal: AbortSignal): Promise<Finding> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_LIMIT_MS)]);
  try {
    return await check.run(limit);
  } catch (error) {
    if (limit.aborted) return failure(`this took longer than ${CHECK_LIMIT_MS / 1000} s`);
    const hint = error instanceof Error && 'hint' in error ? error.hint : undefined;
    return failure(describeError(error), typeof hint === 'string' ? hint : undefined);
  }
}

/** The outcome for the exit code: a missing login is not a fault if everything else works. */
export function outcomeOf(results: readonly CheckResult[]): 'done' | 'failed' | 'sign-in-needed' {
  const failed = results.filter(({ status }) => status === 'failure');
  if (failed.length === 0) return 'done';
  return failed.every(({ id }) => id === 'login') ? 'sign-in-needed' : 'failed';
}

const MARKS = { ok: '✓', warning: '!', failure: '✗', skipped: '-' } as const;
const ID_COLUMNS = 18;

/** One result as `doctor` prints it. */
export function resultLines({ id, status, ...rest }: CheckResult): string {
  const head = `${MARKS[status]} ${id.padEnd(ID_COLUMNS)}${rest.text}\n`;
  const wayOut = 'wayOut' in rest ? rest.wayOut : undefined;
  return wayOut === undefined ? head : `${head}${' '.repeat(ID_COLUMNS + 2)}${wayOut}\n`;
}

/** The last line: the number of each result. */
export function summaryLine(results: readonly CheckResult[]): string {
  const count = (status: CheckResult['status']) => results.filter((each) => each.status === status).length;
  const parts = (['failure', 'warning', 'skipped'] as const).flatMap((status) =>
    count(status) === 0 ? [] : [`${count(status)} ${PLURALS[status]}`],
  );
  return parts.length === 0
    ? `${count('ok')} checks, all well.\n`
    : `${results.length} checks: ${count('ok')} ok, ${parts.join(', ')}.\n`;
}

const PLURALS = { failure: 'failed', warning: 'with a warning', skipped: 'skipped' } as const;

/** `doctor --json`. */
export function resultsJson(results: readonly CheckResult[]): object {
  return {
    checks: results.map(({ id, status, text, ...rest }) => ({
      id,
      about: CHECKS[id],
      status,
      text,
      ...rest,
    })),
  };
}
