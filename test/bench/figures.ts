import { quantile } from '../helpers/quantile.ts';

/** What one subject showed in one repeat: a name of rows.ts → a number in that row's unit. */
export type Figures = Readonly<Record<string, number>>;

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** All repeats of one figure of one subject. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  return { min, median: quantile(sorted, 0.5), max };
}

/** Repeats side by side: figure → values, in the order in which they came. */
export class Collection {
  readonly #values = new Map<string, Map<string, number[]>>();

  add(subject: string, figures: Figures): void {
    const own = this.#values.get(subject) ?? new Map<string, number[]>();
    this.#values.set(subject, own);
    for (const [name, value] of Object.entries(figures)) own.set(name, [...(own.get(name) ?? []), value]);
  }

  spread(subject: string, name: string): Spread | undefined {
    return spreadOf(this.#values.get(subject)?.get(name) ?? []);
  }

  names(): string[] {
    return [...new Set([...this.#values.values()].flatMap((own) => [...own.keys()]))];
  }

  toJSON(): Record<string, Record<string, number[]>> {
    return Object.fromEntries(
      [...this.#values].map(([subject, own]) => [subject, Object.fromEntries(own)] as const),
    );
  }
}
