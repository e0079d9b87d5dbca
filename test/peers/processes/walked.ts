import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type RawHost, startRawHost } from '../hosts/raw-host.ts';
import type { Walked } from './walked-program.ts';

const PROGRAM = fileURLToPath(new URL('./walked-program.ts', import.meta.url));

/** Starts the program from its sources, so that it can be asked which of its functions ran. */
export function startWalkedHost(url: string, env: Readonly<Record<string, string>>): RawHost {
  return startRawHost([url], {
    env,
    program: PROGRAM,
    nodeArgs: ['--import', 'tsx'],
    launch: (argv, environment) =>
      spawn(process.execPath, [...argv], {
        env: { ...environment },
        stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      }) as ChildProcessWithoutNullStreams,
  });
}

/** The functions that ran since the last call, in no order. */
export async function walkedSince({ child }: RawHost): Promise<readonly Walked[]> {
  const said = once(child, 'message');
  child.send('walked');
  const [walked] = (await said) as [readonly Walked[]];
  return walked;
}
