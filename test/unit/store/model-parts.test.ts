import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { WITHOUT } from '../../model/without.ts';

const root = new URL('../../..', import.meta.url);

test.each(Object.entries(WITHOUT))(
  'what `npm run model -- --without %s` replaces is in the program, once',
  async (_, changes) => {
    for (const { file, from } of changes) {
      const text = await readFile(new URL(file, root), 'utf8');
      expect(text.split(from), `${file}: ${from}`).toHaveLength(2);
    }
  },
);
