import { describe, expect, it } from 'vitest';
import { type HostLine, LineSplitter } from '../../../src/host/line-splitter.ts';
import { onOneLine } from '../../../src/host/writer.ts';

const text = (lines: readonly HostLine[]) =>
  lines.map((line) => (line.kind === 'line' ? Buffer.from(line.bytes).toString() : `>${line.limitBytes}`));

/** All lines of `input` when it comes in pieces of `size` bytes. */
function split(input: string, size: number, limit = 1000): string[] {
  const splitter = new LineSplitter(limit);
  const bytes = Buffer.from(input);
  const lines: HostLine[] = [];
  for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
  lines.push(...splitter.end());
  return text(lines);
}

describe.each([1, 2, 3, 7, 1000])('chunks of %i bytes', (size) => {
  it.each([
    ['a\nb\n', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\r\n\na\n\n', ['a']],
    ['{"é":"😀"}\n{"x":1}', ['{"é":"😀"}', '{"x":1}']],
    ['a\rb\n', ['a\rb']],
    ['', []],
  ])('%j', (input, expected) => {
    expect(split(input, size)).toEqual(expected);
  });

  it('reports a line over the limit once and goes on with the next', () => {
    expect(split(`${'x'.repeat(50)}\nok\n${'y'.repeat(20)}\n${'z'.repeat(21)}\nlast`, size, 20)).toEqual([
      '>20',
      'ok',
      'y'.repeat(20),
      '>20',
      'last',
    ]);
  });
});

describe('onOneLine', () => {
  it('replaces only raw line breaks, and leaves the source unchanged', () => {
    const source = Buffer.from('{\r\n  "a\\n": "b"\n}');
    expect(Buffer.from(onOneLine(source)).toString()).toBe('{    "a\\n": "b" }');
    expect(source.toString()).toContain('\n');
  });

  it('returns the same bytes when there is nothing to replace', () => {
    const source = Buffer.from('{"a":1}');
    expect(onOneLine(source)).toBe(source);
  });
});
