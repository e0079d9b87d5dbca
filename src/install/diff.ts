/** A line of a diff: which text it is in, and its number there, from 1. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly number: number;
  readonly text: string;
}

/** The differing lines, with `context` lines around them; one list for each place. */
export function lineDiff(before: string, after: string, context = 1): readonly (readonly DiffLine[])[] {
  const lines = allLines(linesOf(before), linesOf(after));
  const places: DiffLine[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [at, line] of lines.entries()) {
    const isNear = lines
      .slice(Math.max(0, at - context), at + context + 1)
      .some(({ kind }) => kind !== 'same');
    if (!isNear) continue;
    if (at > last + 1) places.push([]);
    places.at(-1)?.push(line);
    last = at;
  }
  return places;
}

function linesOf(text: string): readonly string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The shortest edit from one list to the other, between their common beginning and end. */
function allLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  const lines: DiffLine[] = before.slice(0, start).map((text, at) => same(text, at));
  const [from, to] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  let [left, right] = [0, 0];
  for (const [a, b] of commonLines(from, to)) {
    for (; left < a; left++)
      lines.push({ kind: 'removed', number: start + left + 1, text: from[left] ?? '' });
    for (; right < b; right++)
      lines.push({ kind: 'added', number: start + right + 1, text: to[right] ?? '' });
    if (left < from.length && right < to.length) lines.push(same(to[right] ?? '', start + right));
    left++;
    right++;
  }
  for (let at = 0; at < end; at++)
    lines.push(same(after[after.length - end + at] ?? '', after.length - end + at));
  return lines;
}

const same = (text: string, at: number): DiffLine => ({ kind: 'same', number: at + 1, text });

/** Above this many cells, the whole middle part counts as replaced. */
const MAX_CELLS = 4_000_000;

/** The longest common subsequence of two lists, as positions in both, followed by the ends of both. */
function commonLines(from: readonly string[], to: readonly string[]): readonly (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  if (from.length * to.length <= MAX_CELLS) {
    const width = to.length + 1;
    const longest = new Uint32Array((from.length + 1) * width);
    for (let a = from.length - 1; a >= 0; a--) {
      for (let b = to.length - 1; b >= 0; b--) {
        longest[a * width + b] =
          from[a] === to[b]
            ? (longest[(a + 1) * width + b + 1] ?? 0) + 1
            : Math.max(longest[(a + 1) * width + b] ?? 0, longest[a * width + b + 1] ?? 0);
      }
    }
    for (let a = 0, b = 0; a < from.length && b < to.length; ) {
      if (from[a] === to[b]) pairs.push([a++, b++]);
      else if ((longest[(a + 1) * width + b] ?? 0) >= (longest[a * width + b + 1] ?? 0)) a++;
      else b++;
    }
  }
  return [...pairs, [from.length, to.length]];
}
