import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npx tsx .build/screens.ts`, after a build: draws `.github/doctor.svg` and `.github/install.svg` for the README, from what the built program prints
 * on a home made for it. Only the folder and the version of Node are replaced by ones that are the same on every machine.
 */

const PROGRAM = new URL('../dist/launch.cjs', import.meta.url).pathname;
const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.25;
const PADDING = 14;

const CSS = `
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#1f2328;white-space:pre}
rect{fill:#f6f8fa;stroke:#d1d9e0}
.good{fill:#1a7f37}.bad{fill:#d1242f}.soft{fill:#59636e}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}
rect{fill:#151b23;stroke:#3d444d}
.good{fill:#3fb950}.bad{fill:#f85149}.soft{fill:#9198a1}
}`;

const MARKUP = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
]);

function style(line: string): string {
  if (/^(✓| +\+ )/.test(line)) return 'good';
  if (/^(✗| +- )/.test(line)) return 'bad';
  return /^([-!]| )/.test(line) ? 'soft' : '';
}

/** The picture of a terminal with these lines. */
export function screen(lines: readonly string[]): string {
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER_WIDTH) + 2 * PADDING;
  const height = lines.length * LINE_HEIGHT + 2 * PADDING;
  const texts = lines.map((line, at) => {
    const text = line.replace(/[&<>]/g, (character) => MARKUP.get(character) ?? character);
    const y = PADDING + (at + 0.75) * LINE_HEIGHT;
    return `<text class="${style(line)}" x="${PADDING}" y="${y}" xml:space="preserve">${text}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<style>${CSS}</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

/** What the program prints, with the folder of this run under a common name. */
function printed(home: string, args: readonly string[]): string[] {
  const env = { PATH: process.env.PATH ?? '', HOME: home, DISPLAY: ':0', XAUTHORITY: '/dev/null' };
  const { stdout } = spawnSync(process.execPath, [PROGRAM, ...args], { env, encoding: 'utf8' });
  return stdout
    .replaceAll(home, '/home/ada')
    .replace(/Node [\d.]+/, 'Node 22.22.0')
    .trimEnd()
    .split('\n');
}

/** The pictures by their file names. */
export function screens(): ReadonlyMap<string, string> {
  const home = mkdtempSync(join(tmpdir(), 'screens-'));
  try {
    mkdirSync(join(home, '.cursor'));
    writeFileSync(
      join(home, '.cursor/mcp.json'),
      '{\n  "mcpServers": {\n    "files": { "command": "mcp-files", "args": ["/home/ada"] }\n  }\n}\n',
    );
    const commands = {
      'install.svg': ['install', 'https://mcp.example.com/mcp', '--host', 'cursor', '--npx', '--dry-run'],
      'doctor.svg': ['doctor', 'https://mcp.invalid/mcp'],
    };
    return new Map(
      Object.entries(commands).map(([file, args]) => [
        file,
        screen([`$ mcp-drawbridge ${args.join(' ')}`, ...printed(home, args)]),
      ]),
    );
  } finally {
    rmSync(home, { recursive: true });
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const [file, picture] of screens())
    writeFileSync(new URL(`../.github/${file}`, import.meta.url), picture);
}
