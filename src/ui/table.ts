const GAP = '  ';

/** Formats rows under their headings, each column as wide as its longest cell. A column with only empty cells is left out. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = headings.flatMap((heading, at) => {
    const cells = rows.map((row) => row[at] ?? '');
    if (cells.every((cell) => cell === '')) return [];
    return [{ cells: [heading, ...cells], width: Math.max(...[heading, ...cells].map(width)) }];
  });
  const lines = [headings, ...rows].map((_, line) =>
    columns
      .map(({ cells, width: most }) => pad(cells[line] || '-', most))
      .join(GAP)
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

const width = (text: string): number => [...text].length;

const pad = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)));
