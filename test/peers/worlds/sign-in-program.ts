// Two programs in one, as the real one is: without `__sign-in` a host that starts a sign-in and then hangs, with it the sign-in.

import { SIGN_IN_COMMAND, startSignIn } from '../../../src/auth/sign-in/launch.ts';
import { readSignInRequest, type SignInRequest } from '../../../src/auth/sign-in-request.ts';
import { signInProcess } from '../../../src/commands/sign-in-process.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { listenOnLoopback } from '../../../src/platform/http/loopback-listener.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { createBrowser } from '../../../src/platform/process/browser.ts';
import { launchIndependent } from '../../../src/platform/process/independent-process.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { openLeases } from '../../../src/store/lease/lease.ts';
import { openStore } from '../../../src/store/open-store.ts';

const { env, execPath, execArgv, pid } = process;
const [, script = '', command] = process.argv;

async function compose({ home }: SignInRequest) {
  const store = await openStore({ home, logger: silentLogger });
  return {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    store,
    pid,
    leases: openLeases(store.folder),
    listen: listenOnLoopback,
    openBrowser: createBrowser(env),
    createHttp: (allowAddress: (address: string, host: string) => boolean) =>
      createHttp({ env, allowAddress }),
    onAdopted: () => void process.stdout.write('ready\n'),
  };
}

if (command === SIGN_IN_COMMAND) {
  process.stdout.on('error', () => {});
  const stop = new AbortController();
  // Not `once`: proper-lockfile's exit hook ends a process that has no other listener left.
  process.on('SIGTERM', () => stop.abort());
  process.exit(
    await signInProcess({ stdin: process.stdin, compose, logger: silentLogger, signal: stop.signal }),
  );
}

const request = readSignInRequest(command ?? '');
// The loader of TypeScript, which the built program does not need, goes with the entry.
const entry = [...execArgv, script];
await startSignIn(request, { launch: launchIndependent, execPath, execArgv: [], entry, env });
process.stdout.write('started\n');
setInterval(() => {}, 1_000);
