import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isolatedDeclarationSync, parseSync } from 'rolldown/experimental';
import { root } from './program.ts';

/** One declaration of a file, as text, and the names that it says. */
interface Declaration {
  readonly name: string;
  readonly text: string;
  readonly words: ReadonlySet<string>;
}

/**
 * The types of the package in one file: what `entry` exports, and what that needs of other files of `src/`. Throws where a type is not written out, or two
 * files mean different things by one name: TypeScript's own compiler would have to be asked then.
 */
export function packageTypes(entry: string): string {
  const declarations = new Map<string, Declaration & { readonly file: string }>();
  const exported = new Set<string>();
  const seen = new Set<string>();
  const read = (file: string, isEntry: boolean): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const found = declarationsOf(file);
    for (const declaration of found.declarations) {
      const other = declarations.get(declaration.name);
      if (other !== undefined) {
        throw new Error(
          `${declaration.name} is declared in ${relative(root, file)} and ${relative(root, other.file)}`,
        );
      }
      declarations.set(declaration.name, { ...declaration, file });
    }
    if (isEntry) for (const name of found.exported) exported.add(name);
    for (const imported of found.imports) read(imported, false);
  };
  read(entry, true);

  const needed = new Set<string>();
  const need = (name: string): void => {
    const declaration = declarations.get(name);
    if (declaration === undefined || needed.has(name)) return;
    needed.add(name);
    for (const word of declaration.words) need(word);
  };
  for (const name of exported) {
    if (!declarations.has(name)) throw new Error(`${name} is exported, and declared nowhere`);
    need(name);
  }
  const texts = [...declarations.values()].filter(({ name }) => needed.has(name)).map(({ text }) => text);
  return `${texts.join('\n')}\nexport { ${[...exported].sort().join(', ')} };\n`;
}

interface FileDeclarations {
  readonly declarations: readonly Declaration[];
  readonly exported: readonly string[];
  /** The files of ours that it names. */
  readonly imports: readonly string[];
}

function declarationsOf(file: string): FileDeclarations {
  const { code } = isolatedDeclarationSync(file, readFileSync(file, 'utf8'));
  const { program, comments } = parseSync(file.replace(/\.ts$/, '.d.ts'), code);
  const declarations: Declaration[] = [];
  const exported: string[] = [];
  const imports: string[] = [];
  let end = 0;
  for (const statement of program.body) {
    const before = comments.findLast((comment) => comment.start >= end && comment.end <= statement.start);
    const documentation = before?.value.startsWith('*') === true ? `/*${before.value}*/\n` : '';
    end = statement.end;
    if ('source' in statement && statement.source !== null) {
      const { value } = statement.source;
      if (typeof value === 'string' && value.startsWith('.')) imports.push(join(dirname(file), value));
    }
    if (statement.type !== 'ExportNamedDeclaration') {
      if ('id' in statement && statement.id !== null && 'name' in statement.id) {
        declarations.push(declared(statement.id.name, documentation, code.slice(statement.start, end)));
      }
      continue;
    }
    for (const { exported: as } of statement.specifiers) if ('name' in as) exported.push(as.name);
    const { declaration } = statement;
    if (declaration === null) continue;
    const text = code.slice(declaration.start, declaration.end);
    for (const name of namesOf(declaration)) {
      exported.push(name);
      declarations.push(declared(name, documentation, text));
    }
  }
  return { declarations, exported, imports };
}

function declared(name: string, documentation: string, text: string): Declaration {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const words = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  const isTyped = /^(type|interface|declare)\b/.test(text);
  return { name, words, text: `${documentation}${isTyped ? '' : 'declare '}${text}` };
}

function namesOf(declaration: object): string[] {
  if ('id' in declaration) return [(declaration.id as { readonly name: string }).name];
  const { declarations = [] } = declaration as {
    readonly declarations?: readonly { id: { name: string } }[];
  };
  return declarations.map(({ id }) => id.name);
}
