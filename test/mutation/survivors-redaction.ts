import type { Survivor } from './survivors.ts';

/** What survives in `src/redaction/`, with the reasons. */
export const REDACTION_SURVIVORS: readonly Survivor[] = [
  {
    file: 'src/redaction/redactor.ts',
    line: 'if (waiting.size > 0 || isStale) update();',
    mutated: ['if (true) update();', 'if (waiting.size >= 0 || isStale) update();'],
    reason: 'With nothing to enter and nothing to forget `update` changes nothing; the check saves its time.',
  },
  {
    file: 'src/redaction/redactor.ts',
    line: 'if (tables.size === 0) return whole.slice(0, limit);',
    mutated: ['if (false) return whole.slice(0, limit);'],
    reason: 'Where there are no tables nothing is found; the check saves the time of the search.',
  },
  {
    file: 'src/redaction/redactor.ts',
    line: 'if (scheme === undefined || credential === undefined) return [text];',
    mutated: [
      'if (scheme === undefined || false) return [text];',
      'if (scheme === undefined && credential === undefined) return [text];',
      'if (false || credential === undefined) return [text];',
    ],
    reason: 'The pattern has both or neither; the types cannot know.',
  },
  {
    file: 'src/redaction/redactor.ts',
    line: `const bytes = Buffer.from(secret, 'utf8');`,
    mutated: ['const bytes = Buffer.from(secret, "");'],
    reason: 'Node takes UTF-8 where no encoding is named.',
  },
  {
    file: 'src/redaction/redactor.ts',
    line: `const coded = [bytes.toString('base64').replace(/=+$/, ''), ...within];`,
    mutated: [`const coded = [bytes.toString('base64').replace(/=+/, ''), ...within];`],
    reason: 'Padding is at the end and nowhere else.',
  },
  {
    file: 'src/redaction/redactor.ts',
    line: 'const [, scheme, credential] = /^(\\w+) +(\\S+)$/.exec(text) ?? [];',
    mutated: ['const [, scheme, credential] = /^(\\w+) +(\\S+)$/.exec(text) ?? ["Stryker was here"];'],
    reason: 'Where the value has no scheme there is no credential either.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'if (2 * this.#size >= this.#slots.length) this.#grow();',
    mutated: ['if (2 * this.#size > this.#slots.length) this.#grow();'],
    reason: 'The table grows one entry later; what is found does not depend on its size.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'if (text.length < length) return;',
    mutated: ['if (false) return;'],
    reason: 'The loop visits nothing in a text that is shorter than a run.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'if (at >= length) {',
    mutated: ['if (true) {'],
    reason: 'Before the text there are no characters: `charCodeAt` says NaN, which Math.imul takes for 0.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'if (at >= length - 1) visit((one >>> 0) * 0x10_0000 + (other >>> 12) || 1, at - length + 1);',
    mutated: ['if (at >= length - 1) visit((one >>> 0) * 0x10_0000 - (other >>> 12) || 1, at - length + 1);'],
    reason: 'Any number that is another one for each pair of hashes does.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: '(Math.imul(Math.floor(hash / 0x10_0000) ^ ((hash % 0x10_0000) << 12), 0x9e37_79b1) >>> 8) & mask;',
    mutated: [
      '(Math.imul(Math.floor(hash / 0x10_0000) ^ ((hash * 0x10_0000) << 12), 0x9e37_79b1) >>> 8) & mask;',
    ],
    reason: 'Where the search for a slot begins changes what it costs, and not what it finds.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'slot = (slot + 1) & mask;',
    mutated: ['slot = (slot - 1) & mask;'],
    reason: 'A free slot is looked for in the other direction.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'for (const hash of before) if (hash !== 0) this.#slots[this.#slotOf(hash)] = hash;',
    mutated: ['for (const hash of before) if (true) this.#slots[this.#slotOf(hash)] = hash;'],
    reason: 'An empty slot is entered as what it is: empty.',
  },
  {
    file: 'src/redaction/secret-windows.ts',
    line: 'return character.toLowerCase().charCodeAt(0);',
    mutated: ['return character.toUpperCase().charCodeAt(0);'],
    reason: 'Secret and text are folded in the same way.',
  },
  {
    file: 'src/redaction/unescaped.ts',
    line: `return fromCode(Number.parseInt(hex ?? decimal ?? '', hex === undefined ? 10 : 16));`,
    mutated: [
      'return fromCode(Number.parseInt(hex ?? decimal ?? "Stryker was here!", hex === undefined ? 10 : 16));',
    ],
    reason: 'One of the three groups matches; the types cannot know.',
  },
  {
    file: 'src/redaction/unescaped.ts',
    line: `character: ([, braced, four, two, simple = '']) => {`,
    mutated: ['character: ([, braced, four, two, simple = "Stryker was here!"]) => {'],
    reason: 'The default counts only where a code in hex was found, and then it is not read.',
  },
  {
    file: 'src/redaction/unescaped.ts',
    line: 'if (!text.includes(sign)) return undefined;',
    mutated: ['if (false) return undefined;'],
    reason: 'Where the sign is missing the pattern matches nowhere; the check saves the time of the search.',
  },
  {
    file: 'src/redaction/unescaped.ts',
    line: "sign: '\\\\',",
    mutated: ['sign: "",'],
    reason: 'Where the sign is missing the pattern matches nowhere; the check saves the time of the search.',
  },
  {
    file: 'src/redaction/unescaped.ts',
    line: `sign: '%',`,
    mutated: ['sign: "",'],
    reason: 'Where the sign is missing the pattern matches nowhere; the check saves the time of the search.',
  },
  {
    file: 'src/redaction/unescaped.ts',
    line: `sign: '&',`,
    mutated: ['sign: "",'],
    reason: 'Where the sign is missing the pattern matches nowhere; the check saves the time of the search.',
  },
];
