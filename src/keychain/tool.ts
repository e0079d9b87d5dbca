import { printable } from '../platform/log/printable.ts';
import type { ToolEnd } from '../platform/process/run-tool.ts';
import { redactor } from '../redaction/secrets.ts';
import type { KeychainFailure } from './keychain.ts';

/**
 * A host waits for its server while a keychain is queried. A working one answers within a tenth of a second; a slower one waits for a person, who may not be
 * there.
 */
export const TOOL_LIMIT_MS = 2_000;

/** Of a program's message: its first sentence or two. */
const SAID_MAX_CHARACTERS = 300;

/** A program's message for people: without secrets, on one line. */
export function said(text: string): string {
  return printable(redactor.redact(text.trim(), SAID_MAX_CHARACTERS));
}

/** The failure for such an exit, if nothing more is known. `name`: of the program. `whenSilent`: what to do if it did not answer in time. */
export function failureOf(
  name: string,
  end: ToolEnd,
  wayOut: { readonly whenSilent: string; readonly otherwise: string },
): KeychainFailure {
  switch (end.kind) {
    case 'timed-out':
      return {
        kind: 'timed-out',
        text: `${name} did not answer within ${TOOL_LIMIT_MS / 1_000} seconds; it may be waiting for a password`,
        wayOut: wayOut.whenSilent,
      };
    case 'failed':
      return { kind: 'failed', text: `${name} ${end.reason}`, wayOut: wayOut.otherwise };
    case 'exited': {
      const words = said(end.stderr || end.stdout);
      const text = `${name} failed (exit code ${end.code})${words === '' ? '' : `: ${words}`}`;
      return { kind: 'failed', text, wayOut: wayOut.otherwise };
    }
  }
}

/** The program does not exist. */
export function absent(name: string, wayOut: string): KeychainFailure {
  return { kind: 'absent', text: `${name} is not installed`, wayOut };
}
