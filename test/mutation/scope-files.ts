import { readdirSync } from 'node:fs';
import type { Part } from './scope.ts';

/** A glob with `*`, `**` + `/` and `{a,b}` as a regular expression over whole paths. */
function globPattern(glob: string): RegExp {
  const pattern = glob
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\{([^}]*)\}/g, (_, choices: string) => `(?:${choices.replaceAll(',', '|')})`)
    .replace(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'));
  return new RegExp(`^${pattern}$`);
}

/** The part's source files of which `only` (a glob; a bare name fits in every folder) is true. Throws if a glob of the part finds no file. */
export function filesOf(root: string, part: Part, only: string): string[] {
  const all = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  const files = part.sources.flatMap((glob) => {
    const found = all.filter((name) => globPattern(glob).test(name));
    if (found.length === 0) throw new Error(`test/mutation/scope.ts: no file is called ${glob}`);
    return found;
  });
  const wanted = globPattern(only.includes('/') ? only : `**/${only}`);
  return files.filter((name) => wanted.test(name)).sort();
}
