import { describeError } from '../../errors.ts';
import type { ListenerAnswer } from '../../platform/http/loopback-listener.ts';
import { type PageView, renderPage } from '../../ui/pages.ts';
import {
  AuthorizationDeniedError,
  CallbackIssuerError,
  type SignInFailedError,
} from '../errors/sign-in-errors.ts';

export function successPage(server: string): ListenerAnswer {
  return renderPage({ kind: 'signed-in', server });
}

/** The person's current tab goes to the authorization server once more: no second tab is opened. */
export function redirectAnswer(address: string): ListenerAnswer {
  return {
    status: 303,
    headers: { location: address, 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' },
    body: '',
  };
}

export function failurePage(server: string, error: unknown): ListenerAnswer {
  return renderPage(failureView(server, error));
}

function failureView(server: string, error: unknown): PageView {
  if (error instanceof AuthorizationDeniedError)
    return { kind: 'denied', server, serverMessage: error.serverMessage };
  // RFC 9207 §2.4: nothing from another issuer's response is shown, not even the issuer it names.
  const reason = error instanceof CallbackIssuerError ? MIXED_UP : describeError(error);
  return { kind: 'failed', server, reason, hint: (error as Partial<SignInFailedError>).hint };
}

const MIXED_UP = 'The response came from another authorization server than expected.';
