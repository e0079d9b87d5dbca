import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { FleetStep } from './fleet-steps.ts';
import type { Step } from './refresh-steps.ts';

/** Where a program is to end, as by kill -9, or to be suspended. */
export interface KillPlan {
  /** Only this process of the program counts its calls. */
  readonly role: 'bridge' | 'sign-in';
  /** Calls on files below it count. */
  readonly folder: string;
  /** So do calls on connections to these ports; absent: on all. */
  readonly ports?: readonly number[];
  /** The ports of the engine in which machines share the login: calls on its connections count, also what comes in, and none on files. */
  readonly engine?: readonly number[];
  /** Dies in place of this call, counted from 1; 0: of none. */
  readonly at: number;
  /** Only calls of this step count. What comes before it takes more calls on some runs than on others. */
  readonly step?: Step | FleetStep;
  /** SIGSTOP: it is suspended there, and goes on with that call when it is resumed. */
  readonly signal?: 'SIGKILL' | 'SIGSTOP';
  /** Where the n-th call lies in the documented residue, the first one after it. */
  readonly sparing?: boolean;
}

/** One counted call. */
export interface CountedCall {
  readonly n: number;
  readonly name: string;
  /** Base name of the file, or the port. */
  readonly on: string;
  readonly step: Step | FleetStep;
  /** The credential's lock is this process's. */
  readonly holdsLock: boolean;
  /** src/README.md, "The residue": the token may be redeemed by now, and the answer is not yet in the file that waits for it. */
  readonly isResidue: boolean;
}

/** What a program says of itself, in the file beside its plan. */
export interface Said {
  readonly calls: readonly CountedCall[];
  /** In place of which it died. */
  readonly killed: CountedCall | undefined;
}

export interface PlanFile {
  /** For `node --require`. */
  readonly preload: string;
  said(): Promise<Said>;
  /** From now on it dies at another call, counted from here; takes effect at SIGUSR2. */
  rearm(at: number): Promise<void>;
}

/** Preloads in a folder of their own: one bundle, and for each plan a file that hands it over. */
export class KillPlans {
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<KillPlans> {
    await build({
      entryPoints: [fileURLToPath(new URL('./kill-preload.ts', import.meta.url))],
      outfile: join(folder, 'kill-preload.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'warning',
    });
    return new KillPlans(folder);
  }

  async add(plan: KillPlan): Promise<PlanFile> {
    const base = join(this.#folder, `plan-${++this.#count}`);
    const files = { preload: `${base}.cjs`, said: `${base}.said`, rearm: `${base}.arm` };
    const handed = JSON.stringify({ ...plan, ...files });
    await writeFile(`${base}.cjs`, `require('./kill-preload.cjs').follow(${handed});\n`);
    return {
      preload: `${base}.cjs`,
      said: async () => {
        const text = await readFile(`${base}.said`, 'utf8').catch(() => '');
        const lines = text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as CountedCall & { readonly killed?: true });
        return { calls: lines.filter(({ killed }) => !killed), killed: lines.find(({ killed }) => killed) };
      },
      rearm: (at) => writeFile(`${base}.arm`, String(at)),
    };
  }
}
