import { expect, test } from 'vitest';
import { presetsText } from '../../../src/commands/help/presets.ts';
import { presetNames } from '../../../src/config/options/presets.ts';

test('each preset has a line that says what it sets', () => {
  const [, ...lines] = presetsText().trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(presetNames);
  for (const line of lines) expect(line).toMatch(/^\S+ {2,}\S.{10}/);
});
