import { type DrawbridgeError, describeError, type ErrorCode } from '../../errors.ts';

/** Why the server is unavailable now. */
export type Unavailability =
  | { readonly kind: 'opening' }
  | { readonly kind: 'unreachable'; readonly error: DrawbridgeError }
  | {
      readonly kind: 'signing-in';
      readonly address: string | undefined;
      /** To be entered at the address. */
      readonly userCode?: string | undefined;
      /** Whether the sign-in has opened a browser with the address. */
      readonly browserOpened?: boolean | undefined;
    }
  | { readonly kind: 'failed'; readonly error: DrawbridgeError };

/** With these errors the login could not be read, and the server was not asked. */
const ABOUT_THE_LOGIN: ReadonlySet<ErrorCode> = new Set(['store_away', 'lock_timeout']);

/** Up to three sentences for a person or a model: the problem, and what to do. */
export function describeUnavailability(unavailability: Unavailability): string {
  switch (unavailability.kind) {
    case 'opening':
      return 'The server has not answered yet. Try again in a moment.';
    case 'unreachable': {
      const { error } = unavailability;
      const what = ABOUT_THE_LOGIN.has(error.code)
        ? 'The login cannot be read'
        : 'The server cannot be reached';
      const hint = error.hint === undefined ? '' : ` ${error.hint}`;
      return `${what}: ${describeError(error)}.${hint} The bridge keeps trying; no restart is needed.`;
    }
    case 'signing-in':
      return unavailability.address === undefined
        ? 'A sign-in to this server is in progress. Try again in a moment.'
        : `A sign-in to this server is needed. ${howTo(unavailability.userCode)}, then try again: ${unavailability.address}`;
    case 'failed':
      return [`${describeError(unavailability.error)}.`, unavailability.error.hint].filter(Boolean).join(' ');
  }
}

function howTo(userCode: string | undefined): string {
  if (userCode === undefined) return 'Open this address in a browser';
  return `Open this address in a browser on any device and enter the code ${userCode}`;
}
