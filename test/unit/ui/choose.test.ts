import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { chooseSome } from '../../../src/ui/choose.ts';

const options = ['cursor', 'codex', 'zed'].map((value) => ({
  value,
  label: value.toUpperCase(),
  hint: `/${value}`,
}));

/** A terminal: keys are pressed when the text that they answer to is there. */
function terminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 40 });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString('utf8');
  });
  return { input, output, shown: () => shown, signal: new AbortController().signal };
}

test.each<[string, readonly string[], readonly string[] | undefined]>([
  ['space checks, arrows move, enter goes on', [' ', '\u001b[B', '\u001b[B', ' ', '\r'], ['cursor', 'zed']],
  ['none', ['\r'], []],
  ['all', ['a', '\r'], ['cursor', 'codex', 'zed']],
  ['Ctrl+C gives up', ['\u0003'], undefined],
])('%s', async (_, keys, expected) => {
  const { input, output, shown, signal } = terminal();
  const chosen = chooseSome('Which?', options, { input, output, signal });
  for (const key of keys) {
    input.write(key);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await chosen).toEqual(expected);
  expect(shown()).toContain('Which?');
});

test('a single choice is preselected', async () => {
  const { input, output, signal } = terminal();
  const chosen = chooseSome('Which?', options.slice(0, 1), { input, output, signal });
  input.write('\r');
  expect(await chosen).toEqual(['cursor']);
});
