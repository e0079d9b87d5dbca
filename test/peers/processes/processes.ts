import { readdir, readFile } from 'node:fs/promises';

export interface SeenProcess {
  readonly pid: number;
  readonly argv: string;
  readonly environment: string;
  /** The most memory that it ever had, in KiB (proc(5), VmHWM). */
  readonly peakKib: number;
}

/** Of the flags in proc(5)'s `stat`: the process has been forked, and has not executed a program yet. */
const PF_FORKNOEXEC = 0x40;

/** Until a child executes its program it shows the arguments and the environment of its parent. */
async function hasExecuted(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
  return (flags & PF_FORKNOEXEC) === 0;
}

/** The processes whose home is this folder, as `ps` shows them; none where there is no /proc. */
export async function processesOf(home: string): Promise<SeenProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const seen = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        // Asked first: what is read afterwards is of the program.
        if (!(await hasExecuted(name))) return undefined;
        const [environment = '', argv = '', status = ''] = await Promise.all(
          ['environ', 'cmdline', 'status'].map((file) =>
            readFile(`/proc/${name}/${file}`, 'utf8').catch(() => ''),
          ),
        );
        const peakKib = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
        return { pid: Number(name), argv, environment, peakKib };
      }),
  );
  return seen.flatMap((process) =>
    process?.environment.split('\0').includes(`HOME=${home}`) ? [process] : [],
  );
}

/** How often they are looked at: each lives for hundreds of milliseconds at least. */
const TURN_MS = 50;

/** Every process of a home that was there while `work` was done, as it was last seen. */
export async function processesDuring(home: string, work: Promise<unknown>): Promise<SeenProcess[]> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  const seen = new Map<number, SeenProcess>();
  do {
    for (const process of await processesOf(home)) seen.set(process.pid, process);
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  } while (!isOver);
  await over;
  return [...seen.values()];
}

/** The most memory that any of them had while `work` was done, in MiB. */
export async function peakMemoryMib(home: string, work: Promise<unknown>): Promise<number> {
  const seen = await processesDuring(home, work);
  return Math.max(...seen.map(({ peakKib }) => peakKib)) / 1024;
}

/** Those of them that only sleep: what a tool left behind that was ended. */
export async function sleepersOf(home: string): Promise<SeenProcess[]> {
  return (await processesOf(home)).filter(({ argv }) => argv.startsWith('sleep'));
}
