import fc from 'fast-check';

/** A file as people and programs leave them behind. */
export interface RandomFile {
  readonly text: string;
  /** What it reads as, were it JSON without comments. */
  readonly servers: Readonly<Record<string, unknown>>;
}

const word = fc.constantFrom(
  'a',
  'linear',
  'My Server',
  'github',
  'Ünïcode',
  '{',
  '//',
  '#',
  'mcpServers',
  '__proto__',
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('npx', 'C:\\Users\\x', '/* no comment */', '// neither', '"', ',', '}', 'é', '\u2028'),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(word, tie('any'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any;

const server = fc.record(
  {
    command: fc.constantFrom('npx', 'uvx', '/usr/bin/node'),
    args: fc.array(fc.constantFrom('-y', 'mcp-remote', 'https://example.com/sse', '//', '}'), {
      maxLength: 3,
    }),
    env: fc.dictionary(word, fc.constantFrom('x', '', '#'), { maxKeys: 2, noNullPrototype: true }),
    disabled: fc.boolean(),
  },
  { requiredKeys: ['command'], noNullPrototype: true },
);

interface Style {
  readonly eol: string;
  readonly unit: string;
  readonly bom: boolean;
  readonly oneLine: boolean;
  readonly comments: boolean;
  readonly trailing: boolean;
  readonly end: string;
  /** Draws for where comments and odd blanks come. */
  readonly draws: readonly number[];
}

const style: fc.Arbitrary<Style> = fc.record({
  eol: fc.constantFrom('\n', '\r\n'),
  unit: fc.constantFrom('  ', '    ', '\t', ''),
  bom: fc.boolean(),
  oneLine: fc.boolean(),
  comments: fc.boolean(),
  trailing: fc.boolean(),
  end: fc.constantFrom('', '\n', '\n\n', '  ', '\r\n'),
  draws: fc.array(fc.nat({ max: 19 }), { minLength: 40, maxLength: 40 }),
});

class Writer {
  readonly #style: Style;
  #drawn = 0;

  constructor(style: Style) {
    this.#style = style;
  }

  json(value: unknown, depth = 0): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const members = Array.isArray(value)
      ? value.map((each) => this.json(each, depth + 1))
      : Object.entries(value).map(
          ([key, each]) => `${JSON.stringify(key)}:${this.#blank()}${this.json(each, depth + 1)}`,
        );
    const [open, shut] = Array.isArray(value) ? '[]' : '{}';
    if (members.length === 0) return `${open}${this.#inside(depth)}${shut}`;
    const parts = members.map((member, at) => {
      const isLast = at === members.length - 1;
      const comma = isLast && !this.#style.trailing ? '' : ',';
      return `${this.#break(depth + 1)}${member}${this.#space()}${comma}${this.#comment()}`;
    });
    return `${open}${parts.join('')}${this.#break(depth)}${shut}`;
  }

  #draw(): number {
    return this.#style.draws[this.#drawn++ % this.#style.draws.length] ?? 0;
  }

  #blank(): string {
    return this.#style.oneLine || this.#draw() === 0 ? '' : ' ';
  }

  #space(): string {
    if (!this.#style.comments || this.#draw() !== 1) return '';
    return ' /* , */ ';
  }

  #break(depth: number): string {
    const { oneLine, eol, unit } = this.#style;
    if (oneLine) return '';
    const line = this.#style.comments && this.#draw() === 2 ? `${eol}${unit.repeat(depth)}// "x": {},` : '';
    return `${line}${eol}${unit.repeat(depth)}`;
  }

  #comment(): string {
    const { comments, oneLine } = this.#style;
    if (!comments) return '';
    const drawn = this.#draw();
    if (drawn === 3 && !oneLine) return ' // about this one }';
    return drawn === 4 ? ' /* about this one { */' : '';
  }

  #inside(depth: number): string {
    const { comments, oneLine, eol, unit } = this.#style;
    const drawn = this.#draw();
    if (oneLine || drawn > 8) return '';
    if (comments && drawn < 3) return ` // none yet${eol}${unit.repeat(depth)}`;
    return drawn < 6 ? ' ' : `${eol}${unit.repeat(depth)}`;
  }
}

/** JSON with comments, trailing commas, odd blanks, a byte order mark, either line break; with or without servers in it. */
export function randomJsonFiles(keys: readonly string[]): fc.Arbitrary<RandomFile> {
  const servers = fc.oneof(
    fc.constant(undefined),
    fc.dictionary(word, server, { maxKeys: 3, noNullPrototype: true }),
  );
  const others = fc.array(fc.tuple(word, value), { maxLength: 3 });
  return fc
    .record({ servers, before: others, after: others, style })
    .map(({ servers, before, after, style }) => {
      const own = servers === undefined ? [] : [[keys[0], nest(keys.slice(1), servers)] as const];
      const kept = (members: readonly (readonly [string, unknown])[]) =>
        members.filter(([key]) => key !== keys[0]);
      const members = [...kept(before), ...own, ...kept(after)];
      const whole: Record<string, unknown> = Object.create(null);
      for (const [key, each] of members) whole[String(key)] = each;
      const text = new Writer(style).json(whole);
      return { text: `${style.bom ? '\ufeff' : ''}${text}${style.end}`, servers: servers ?? {} };
    });
}

function nest(keys: readonly string[], value: unknown): unknown {
  return keys.reduceRight((inner, key) => ({ [key]: inner }), value);
}

const tomlValue = fc.constantFrom(
  '"npx"',
  "'C:\\x'",
  '42',
  '1979-05-27 07:32:00Z',
  'true',
  '["-y", "mcp-remote", # why\n  "]",\n]',
  '"""\n[mcp_servers.example]\ncommand = 1\n"""',
  "'''\n[[x]]'''",
  '{ A = "b", "c d" = "}" }',
  '[]',
  '9007199254740993',
  '"""a"""""',
);

/** TOML with comments, strings and lists over several lines, either line break; with or without servers in it. */
export const randomTomlFiles: fc.Arbitrary<string> = fc
  .record({
    root: fc.array(tomlValue, { maxLength: 3 }),
    tables: fc.array(
      fc.record({
        head: fc.constantFrom(
          '[mcp_servers.github]',
          '[mcp_servers."My Server"]',
          "[ mcp_servers . 'x.y' ] # note",
          '[mcp_servers.github.env]',
          '[mcp_servers.github.tools.read]',
          '[profiles.fast]',
          '[[hooks]]',
          '[mcp_servers]',
        ),
        values: fc.array(tomlValue, { maxLength: 3 }),
        lead: fc.constantFrom('', '\n', '# about the next\n', '\n# [mcp_servers.example]\n\n'),
      }),
      { maxLength: 5 },
    ),
    eol: fc.constantFrom('\n', '\r\n'),
    bom: fc.boolean(),
    end: fc.constantFrom('', '\n', '\n\n', '# the end', '   '),
  })
  .map(({ root, tables, eol, bom, end }) => {
    const seen = new Set<string>();
    const parts = tables.flatMap(({ head, values, lead }) => {
      if (seen.has(head) && head !== '[[hooks]]') return [];
      seen.add(head);
      return [`${lead}${head}\n${pairs(values)}`];
    });
    const text = `${pairs(root)}${parts.join('')}${end}`;
    return (bom ? '\ufeff' : '') + text.replaceAll('\n', eol);
  });

function pairs(values: readonly string[]): string {
  return values
    .map((each, at) => `${at === 1 ? '"key 1"' : `key${at}`} = ${each}${at === 2 ? ' # why' : ''}\n`)
    .join('');
}
