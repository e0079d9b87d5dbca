import type { Readable, Writable } from 'node:stream';
import { isCancel, multiselect } from '@clack/prompts';

/** A list with a checkbox for each line. Resolves with the checked values, or undefined if the person cancelled. */
export async function chooseSome(
  message: string,
  options: readonly { readonly value: string; readonly label: string; readonly hint: string }[],
  terminal: { readonly input: Readable; readonly output: Writable; readonly signal: AbortSignal },
): Promise<readonly string[] | undefined> {
  const chosen = await multiselect({
    message,
    options: options.map((each) => ({ ...each })),
    // A single host is preselected.
    initialValues: options.length === 1 ? options.map(({ value }) => value) : [],
    required: false,
    ...terminal,
  });
  return isCancel(chosen) ? undefined : chosen;
}
