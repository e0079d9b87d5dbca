import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { pastedQuery } from '../auth/callback/pasted.ts';
import type { LoginParts, SignInPrompt } from '../commands/login.ts';
import type { Config } from '../config/config.ts';
import { describeError } from '../errors.ts';
import { isLoopback } from '../platform/http/loopback.ts';
import type { Listen } from '../platform/http/loopback-listener.ts';
import type { LogSink } from '../platform/log/sink.ts';
import { terminalDraw } from '../platform/log/terminal.ts';
import type { Leases } from '../store/lease/lease.ts';
import { keyOf } from '../store/record/credential-key.ts';
import { spin } from '../ui/spinner.ts';
import { openCredential } from './credential.ts';
import type { Platform } from './platform.ts';
import { challengeOf, isRefused } from './server-challenge.ts';
import { otherStoreNote, signInHint } from './settings/sign-in-hint.ts';

/** A process on this machine answers at once. */
const FORWARD_MAX_MS = 5_000;

/** What the `login` command needs, on the real platform. */
export async function loginParts(
  config: Config,
  force: boolean,
  platform: Platform,
  logger: LogSink,
): Promise<LoginParts> {
  const { nonInteractiveReason, openBrowser, log } = config;
  // Without a desktop, such as over SSH, the user has a browser on another machine. A device code needs no browser here.
  const isElsewhere = async () =>
    config.oauth.grant !== 'device_code' &&
    !(await (await import('../platform/desktop/browser.ts')).hasDesktop(platform.env));
  const manual = !openBrowser || (await isElsewhere());
  const { nonInteractiveReason: _, ...asked } = config;
  const credential = await openCredential(asked, keyOf(config), platform, logger);
  const draw = terminalDraw(log.silent);
  return {
    credential,
    host: hostname(),
    manual,
    force,
    nonInteractiveReason: nonInteractiveReason && { hint: signInHint(config) },
    isRefused: (record, signal) => isRefused(record, config, platform, logger, signal),
    probe: (signal) => challengeOf(config, platform, logger, signal),
    signIn: async (request, onOffer, signal) => {
      const [{ runSignIn }, { runSignInDeps }] = await Promise.all([
        import('../auth/sign-in/run.ts'),
        import('./sign-in.ts'),
      ]);
      const leases = withOffers(credential.leases, onOffer);
      const deps = await runSignInDeps(request, platform, logger, { store: credential.store, leases });
      const listen = manual ? withPaste(deps.listen, platform, logger) : deps.listen;
      return runSignIn(request, { ...deps, listen }, signal);
    },
    otherStoreNote: otherStoreNote(config.home),
    forwardPasted: (address) => (manual ? forwardPasted(address, platform, logger) : () => {}),
    wait: (text) => spin(text, platform.clock, manual ? undefined : draw).stop,
  };
}

/** The same leases; `onOffer` is called with each address that the status shows to other processes. */
function withOffers(leases: Leases, onOffer: (offer: SignInPrompt) => void): Leases {
  let offered: string | undefined;
  return {
    ...leases,
    writeStatus: async (key, status) => {
      const { address } = status;
      if (address !== undefined && address !== offered) {
        offered = address;
        onOffer({ ...status, address });
      }
      await leases.writeStatus(key, status);
    },
  };
}

/** In addition to the listener: a browser on another machine cannot reach it, but a person can copy its address. */
function withPaste(listen: Listen, platform: Platform, logger: LogSink): Listen {
  return async (options) => {
    const listener = await listen(options);
    const lines = createInterface({ input: platform.stdin, terminal: false });
    void takePasted(lines, options.answer, logger);
    return {
      ...listener,
      close: async () => {
        lines.close();
        await listener.close();
      },
    };
  };
}

/** Validated like a response from a browser; nothing that was pasted is shown, since it contains the code. */
async function takePasted(
  lines: AsyncIterable<string>,
  answer: (query: string, line: string) => Promise<{ readonly status: number }>,
  logger: LogSink,
): Promise<void> {
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const query = pastedQuery(line);
    const status = query === undefined ? undefined : (await answer(query, line)).status;
    if (query !== undefined && status !== 400) return;
    logger.inform(
      'This is not the address of this sign-in. Paste the whole address that the browser shows last.',
    );
  }
}

/**
 * The same for a sign-in of another process, whose listener is on this machine: the pasted address is sent there. `address` is the one that the person opens,
 * which names the listener; with a pushed request (RFC 9126) only the pasted one does. Returns a function that ends it.
 */
function forwardPasted(address: string, platform: Platform, logger: LogSink): () => void {
  const redirect = new URL(address).searchParams.get('redirect_uri');
  const lines = createInterface({ input: platform.stdin, terminal: false });
  const answer = async (query: string, line: string) => {
    const listener = redirect ?? line.trim();
    if (!URL.canParse(listener) || !isLoopback(new URL(listener))) return { status: 400 };
    const http = await platform.createHttp({ env: {} });
    try {
      const response = await http.request({
        method: 'GET',
        url: new URL(`?${query}`, listener),
        signal: AbortSignal.timeout(FORWARD_MAX_MS),
      });
      return { status: response.status };
    } finally {
      await http.close();
    }
  };
  takePasted(lines, answer, logger).catch((error: unknown) =>
    logger.inform(`What was pasted cannot be handed on: ${describeError(error)}`),
  );
  return () => lines.close();
}
