import assert from 'node:assert/strict';
import fc from 'fast-check';

/** What has to hold for every input that can be made. */
export interface Property {
  readonly name: string;
  /** Rejects with the smallest input that was found for which it does not hold, and the seed that makes it again. */
  run(options: { readonly seed: number; readonly runs: number }): Promise<void>;
}

/** What costs microseconds is tried more often than what costs milliseconds. */
const MORE_OFTEN = 4;

/** `holds` throws where it does not; that nothing reaches a prototype is looked at after each input (.github/SECURITY.md, attack 18). */
export function property<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  holds: (input: T) => void | Promise<void>,
  cost: 'cheap' | 'dear' = 'cheap',
): Property {
  const checked = fc.asyncProperty(inputs, async (input) => {
    await holds(input);
    assert.deepEqual(prototypeNames(), PROTOTYPE_NAMES, 'Object.prototype was changed');
  });
  return {
    name,
    run: ({ seed, runs }) =>
      fc.assert(checked, { seed, numRuns: cost === 'dear' ? runs : runs * MORE_OFTEN }),
  };
}

const PROTOTYPE_NAMES = prototypeNames();

function prototypeNames(): readonly PropertyKey[] {
  return Reflect.ownKeys(Object.prototype);
}
