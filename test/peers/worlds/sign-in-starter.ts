// A host that starts the sign-in process of the built program, as the bridge does, and then hangs. Its argument is the request.

import { startSignIn } from '../../../src/auth/sign-in/launch.ts';
import { readSignInRequest } from '../../../src/auth/sign-in-request.ts';
import { systemPlatform } from '../../../src/compose/platform.ts';
import { PROGRAM } from '../hosts/host.ts';

const [, , request = ''] = process.argv;
// Not the flags of this process: the built program needs no loader of TypeScript.
await startSignIn(readSignInRequest(request), { ...systemPlatform(PROGRAM), execArgv: [] });
process.stdout.write('started\n');
setInterval(() => {}, 1_000);
