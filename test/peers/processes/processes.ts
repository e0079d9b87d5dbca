import { readdir, readFile } from 'node:fs/promises';

export interface SeenProcess {
  readonly pid: number;
  readonly argv: string;
  readonly environment: string;
  /** The most memory that it ever had, in KiB (proc(5), VmHWM). */
  readonly peakKib: number;
}

/** The processes whose home is this folder, as `ps` shows them; none where there is no /proc. */
export async function processesOf(home: string): Promise<SeenProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const seen = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const [environment = '', argv = '', status = ''] = await Promise.all(
          ['environ', 'cmdline', 'status'].map((file) =>
            readFile(`/proc/${name}/${file}`, 'utf8').catch(() => ''),
          ),
        );
        const peakKib = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
        return { pid: Number(name), argv, environment, peakKib };
      }),
  );
  return seen.filter(({ environment }) => environment.split('\0').includes(`HOME=${home}`));
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
