/** The steps of one refresh (src/README.md, "A refresh"), in their order. */
export const STEPS = [
  'lock',
  're-read',
  'claim',
  'pre-create',
  'POST',
  'write',
  'fsync',
  'rename',
  'release',
] as const;
export type Step = (typeof STEPS)[number];

/** Which step of a refresh a call belongs to, from the calls before it. */
export class Steps {
  holdsLock = false;
  #step: Step = 'lock';
  #sent = false;
  #kept = false;

  next(name: string, on: string): Step {
    if (this.#step !== 'lock' && isTouch({ name, on })) return this.#step;
    const isRecord = /^[0-9a-f]{64}\.json$/.test(on);
    if (isLock(on) && name === 'lstatSync' && !this.holdsLock) this.#step = 'lock';
    else if (this.#step === 'lock' && this.holdsLock && isRecord) this.#step = 're-read';
    else if (this.#step === 're-read' && name === 'readdir') this.#step = 'claim';
    else if (this.#step === 'claim' && /\.answer\./.test(on)) this.#step = 'pre-create';
    else if (this.#step === 'pre-create' && (name === 'connect' || name === 'write')) this.#step = 'POST';
    else if (this.#step === 'POST' && on.endsWith('.answer')) this.#step = 'write';
    else if (this.#step === 'write' && name === 'sync') this.#step = 'fsync';
    else if (this.#step === 'fsync') this.#step = 'rename';
    else if (this.#step === 'rename' && name === 'readdir') this.#step = 'release';
    if (this.#step === 'POST' && name === 'write') this.#sent = true;
    else if (this.#step === 'lock') this.#sent = this.#kept = false;
    return this.#step;
  }

  /** A call that has come back. */
  done(name: string, on: string): void {
    if (name === 'writeFile' && on.endsWith('.answer')) this.#kept = true;
  }

  /**
   * From the request until its answer is in the file that waits for it, whatever is called in between: the lock may be touched at any
   * time. A request is written in one go, whatever calls that takes.
   */
  isResidue(name: string): boolean {
    return this.#sent && !this.#kept && name !== 'write';
  }
}

type Call = { readonly name: string; readonly on: string };

/** Of what happens at that step, only what happens on each run: not what is read before the lock is asked for, nor touches of the lock. */
export function isCallOf({ step, name, on }: Call & { readonly step: string }, wanted: string): boolean {
  return step === wanted && (step === 'lock' ? on.includes('.lock') : !isTouch({ name, on }));
}

/** A lock that is held is touched every second, whatever goes on meanwhile. */
function isTouch({ name, on }: Call): boolean {
  return isLock(on) && (name === 'stat' || name === 'utimes');
}

export function isLock(on: string): boolean {
  return on.endsWith('.json.lock');
}
