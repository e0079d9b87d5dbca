/** A position in a text and its replacement. */
export interface Splice {
  /** In UTF-16 units from the beginning of the text before any splice. */
  readonly start: number;
  readonly removed: string;
  readonly inserted: string;
}

/** The text with the splices applied. They do not overlap. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  let result = '';
  let from = 0;
  for (const { start, removed, inserted } of inOrder(splices)) {
    result += text.slice(from, start) + inserted;
    from = start + removed.length;
  }
  return result + text.slice(from);
}

/** The reverse splices, with positions in the text after `splices`. */
export function reversed(splices: readonly Splice[]): readonly Splice[] {
  let shift = 0;
  return inOrder(splices).map(({ start, removed, inserted }) => {
    const back = { start: start + shift, removed: inserted, inserted: removed };
    shift += inserted.length - removed.length;
    return back;
  });
}

/** Whether the text contains what each splice removes, at its position. */
export function fits(text: string, splices: readonly Splice[]): boolean {
  return splices.every(({ start, removed }) => text.startsWith(removed, start));
}

/** The same splices in the text after `others`; undefined if those changed the same parts. */
export function moved(splices: readonly Splice[], others: readonly Splice[]): readonly Splice[] | undefined {
  const found = splices.map((splice) => {
    let shift = 0;
    for (const { start, removed, inserted } of others) {
      if (start + removed.length <= splice.start) shift += inserted.length - removed.length;
      else if (start < splice.start + splice.removed.length) return undefined;
    }
    return { ...splice, start: splice.start + shift };
  });
  return found.every((splice) => splice !== undefined) ? found : undefined;
}

function inOrder(splices: readonly Splice[]): readonly Splice[] {
  return [...splices].sort((a, b) => a.start - b.start);
}
