/** Prints the story line by line and remembers whether each number was as promised. */
export class Report {
  #broken = 0;

  get kept(): boolean {
    return this.#broken === 0;
  }

  say(text = ''): void {
    process.stdout.write(`${text}\n`);
  }

  fail(reason: string): void {
    this.#broken++;
    this.say(`  ✗ ${reason}`);
  }

  /** One promise: what it is about, the number that was promised, the number that was counted. */
  promise(what: string, promised: number, counted: number): void {
    const kept = promised === counted;
    if (!kept) this.#broken++;
    const count = String(counted).padStart(4);
    this.say(kept ? `  ✓ ${count}  ${what}` : `  ✗ ${count}  ${what}  (promised: ${promised})`);
  }

  atLeastOne(what: string, counted: number): void {
    if (counted < 1) this.#broken++;
    const count = String(counted).padStart(4);
    this.say(counted >= 1 ? `  ✓ ${count}  ${what}` : `  ✗ ${count}  ${what}  (promised: at least 1)`);
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
