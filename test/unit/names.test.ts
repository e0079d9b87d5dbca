import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

/**
 * Words that once named parts of this program, and what the MCP specification, the RFCs or Node call them. Whole identifiers; a word that is also plain
 * English is here in the form that only code has.
 */
const RETIRED: readonly (readonly [now: RegExp, better: string])[] = [
  [/\b[Cc]ourier\b|\bParcel\b|\bclass Delivery\b/, 'sendMessage, OutgoingMessage, SendResult'],
  [/\bGreeting\b|#greet\b|\bgreeted\b|\bhost-asked\b/, 'initialize, InitializeRequest'],
  [/\bclass Patience\b|\bOVER\b/, 'WaitBudget, waitLimitMs, TIMED_OUT'],
  [/\bSituation\b|\bmeaningOf\b|\bTrouble\b/, 'Unavailability, classifyRejection, SendFailure'],
  [/\bSessionShape\b|\bsession-shape\b|\bShaping\b/, 'SessionSettings, RestorableRequest'],
  [/\bSignIns\b|\bclass Addresses\b|\bRemembered[A-Z]/, 'PendingSignIn, UrlElicitation, ServerCache'],
  [/\bLiveness\b|\bsleptBetween\b/, 'WakeDetector, ProcessLiveness, slept'],
  [
    /\bInbox\b|\bRequestTable\b|\banswerHere\b|#conclude\b|\bHostMessages\b/,
    'HostDelivery, PendingRequests, HostDispatcher',
  ],
  [
    /\bloadRedeem\b|\bRedeem\b|\bletGo\b|\bleaveLost\b|\bspend\.ts\b/,
    'SendRefreshRequest, abandon, markLost',
  ],
  [
    /\bhasMoved\b|\bexpectMoved\b|\bisFirstDoubt\b/,
    'hasIssuerChanged, requireIssuerChange, mayRecheckIssuer',
  ],
  [/\b(SignIn)?Face(Writer)?\b|\bwriteFace\b|\bonFace\b/, 'SignInStatus, writeStatus, onPrompt'],
  [/\bask-sign-in\b|\bBegun\b/, 'ensureSignIn, LeaseOutcome'],
  [/\bCallbackJudgement\b|\bjudgeCallback\b/, 'AuthorizationResponse, validateAuthorizationResponse'],
  [
    /\bforgotten-client\b|\berror-meanings\b|\bwhatToDo\b|\bgrant-input\b/,
    'registration-check, hintFor, assertion-hash',
  ],
  [
    /\bProver\b|\bAmendment\b|\bOriginWishes\b|\bProofMemory\b|\bTokensToSend\b|\bsaysDpop\b/,
    'DpopProofs, ProofRetry, DpopNonceCache',
  ],
  [
    /\bDpopSituation\b|\bchooseDpop\b|\bUnbound\b|\bMachineTokenWish\b/,
    'DpopInputs, decideBinding, MachineTokenRequest',
  ],
  [
    /\bClaimStep\b|\bdecideClaim\b|\bjudgeFailure\b/,
    'ReservationDecision, decideReservation, classifyRefreshFailure',
  ],
  [/\bguardedFs\b|\bguardedLookup\b|#guarded\b/, 'a word of its own: only GuardedFetch is guarded'],
  [/\b[nN]obodyThere\b|\bbyHand\b/, 'nonInteractive, manual'],
  [
    /\blogin-words\b|\bchecks-client\b|\bpatient-rename\b|\berrands\b/,
    'login-command, oauth-checks, rename-with-retry',
  ],
];

const files = ['src', 'test', '.build'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs|cjs|md)$/.test(name) && name !== 'unit/names.test.ts')
    .map((name) => `${folder}/${name}`),
);

/** `file:line: word`, with what to write. */
function retiredIn(file: string, text: string): string[] {
  return text.split('\n').flatMap((line, at) =>
    RETIRED.flatMap(([now, better]) => {
      const [word] = now.exec(line) ?? [];
      return word === undefined ? [] : [`${file}:${at + 1}: ${word} (${better})`];
    }),
  );
}

test('no part of the program has a name that was given up', () => {
  const pages = ['README.md', '.github/CONTRIBUTING.md', '.github/SECURITY.md'];
  expect(
    [...files, ...pages].flatMap((file) => retiredIn(file, readFileSync(join(root, file), 'utf8'))),
  ).toEqual([]);
});

test('a name that was given up is found, with its line', () => {
  expect(retiredIn('src/a.ts', 'const a = 1;\nexport class Courier {}')).toEqual([
    'src/a.ts:2: Courier (sendMessage, OutgoingMessage, SendResult)',
  ]);
});
