import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface BundledPackage {
  readonly id: string;
  readonly license: string;
  readonly text: string;
}

/** What is in the bundle without a file of a package's own: by a file, what it brings along. */
const BROUGHT_ALONG: readonly { readonly file: RegExp; readonly part: Part }[] = [
  // The bundler's helpers.
  { file: /(^|\/)\0?rolldown\/runtime\.js$/, part: { folder: 'node_modules/rolldown' } },
  // Undici holds llhttp, compiled to WebAssembly, and its package not the licence of it.
  {
    file: /node_modules\/undici\/lib\/llhttp\/llhttp.*wasm\.js$/,
    part: { id: 'llhttp', license: 'MIT', notice: 'llhttp-license.txt' },
  },
];

type Part =
  | { readonly folder: string }
  | { readonly id: string; readonly license: string; readonly notice: string };

/** The licences of every package that the files belong to; packages with the same text stand above it together. */
export function noticesFor(files: readonly string[], root: string): string {
  const folders = new Set(files.flatMap((file) => packageFolder(file) ?? []));
  const packages = [...folders].sort().map((folder) => readPackage(join(root, folder)));
  for (const { file, part } of BROUGHT_ALONG) {
    if (!files.some((each) => file.test(each))) continue;
    if ('folder' in part) packages.push(readPackage(join(root, part.folder)));
    else {
      const text = readFileSync(new URL(part.notice, import.meta.url), 'utf8').trim();
      packages.push({ id: part.id, license: part.license, text });
    }
  }
  const byText = new Map<string, BundledPackage[]>();
  for (const each of packages) byText.set(each.text, [...(byText.get(each.text) ?? []), each]);
  const sections = [...byText].map(([text, those]) => {
    const heads = [...new Set(those.map(({ id, license }) => `${id} (${license})`))];
    return `${heads.join('\n')}\n\n${text}\n`;
  });
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `mcp-drawbridge contains parts of these packages.\n${rule}${sections.join(rule)}`;
}

/** `node_modules/a/node_modules/@b/c/d.js` → `node_modules/a/node_modules/@b/c`; undefined for files of our own. */
export function packageFolder(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

function readPackage(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  if (license === undefined) throw new Error(`${name} does not say under which licence it is`);
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const text = file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').trim();
  return { id: `${name} ${version}`, license, text: text ?? `Licence: ${license}` };
}
