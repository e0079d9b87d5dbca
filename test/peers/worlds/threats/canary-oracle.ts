import { spellings } from './spellings.ts';

/** A text that is secret, and where it belongs. */
interface Canary {
  readonly name: string;
  readonly values: () => readonly string[];
  /** The places that may know it. */
  readonly homes: readonly string[];
}

interface Place {
  readonly name: string;
  readonly texts: () => readonly string[];
}

/** What is shorter may stand anywhere by chance. */
const LEAST_CHARACTERS = 12;

/**
 * The oracle of every test of an attack: each secret may appear only at its own origin, never on stdout or stderr, in a log, in an argument or an
 * environment, or at another origin. Both are looked at when it is asked, so that what is issued on the way counts.
 */
export class CanaryOracle {
  readonly #canaries: Canary[] = [];
  readonly #places: Place[] = [];

  /** A secret, as it is or as it will have been; `homes` are names of places. */
  secret(name: string, values: string | (() => readonly string[]), homes: readonly string[]): this {
    this.#canaries.push({ name, homes, values: typeof values === 'string' ? () => [values] : values });
    return this;
  }

  /** Somewhere that something can be seen: a requests' journal, an output, the environment of a process. */
  place(name: string, texts: () => readonly string[]): this {
    this.#places.push({ name, texts });
    return this;
  }

  /** Each secret at a place that it has no business at, by both names. */
  leaks(): string[] {
    const leaks = new Set<string>();
    for (const { name: where, texts } of this.#places) {
      const seen = texts().join('\n');
      for (const { name, values, homes } of this.#canaries) {
        if (homes.includes(where)) continue;
        if (values().some((value) => isIn(seen, value))) leaks.add(`${name} at ${where}`);
      }
    }
    return [...leaks];
  }

  /** The secrets that were seen at each of their homes: that a test is not blind to them. */
  seenAtHome(): string[] {
    return this.#canaries
      .filter(({ values, homes }) =>
        homes.every((home) => {
          const texts =
            this.#places
              .find(({ name }) => name === home)
              ?.texts()
              .join('\n') ?? '';
          return values().some((value) => isIn(texts, value));
        }),
      )
      .map(({ name }) => name);
  }
}

function isIn(text: string, secret: string): boolean {
  if (secret.length < LEAST_CHARACTERS) throw new Error(`a canary of ${secret.length} characters`);
  // Some header values are lowered on the way.
  const lowered = text.toLowerCase();
  return spellings(secret).some((spelling) => lowered.includes(spelling.toLowerCase()));
}
