import { expect, test } from 'vitest';
import { type ProgramStart, programCommand } from '../../../../src/platform/program/program-command.ts';

const NODE = '/opt/node/bin/node';
const NPX = '/home/ada/.npm/_npx/0123456789abcdef';
const asked = (...packages: readonly string[]) => ({
  [`${NPX}/package.json`]: JSON.stringify({ _npx: { packages } }),
});

interface Case {
  readonly script: string;
  readonly searchPath?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Path → the path without links. */
  readonly links?: Readonly<Record<string, string>>;
  readonly more?: Partial<ProgramStart>;
}

const MAIN = '/usr/lib/node_modules/mcp-drawbridge/dist/launch.cjs';
const BIN = `${NPX}/node_modules/.bin/mcp-drawbridge`;
const WINDOWS = 'C:\\Users\\Ada L\\AppData\\Roaming\\npm';

test.each<[string, Case, readonly string[]]>([
  ['npx', { script: BIN, files: asked('mcp-drawbridge') }, ['npx', '-y', 'mcp-drawbridge']],
  [
    'npx with a version',
    { script: BIN, files: asked('mcp-drawbridge@^1.2') },
    ['npx', '-y', 'mcp-drawbridge@^1.2'],
  ],
  [
    'npx with a tag',
    { script: BIN, files: asked('x', 'mcp-drawbridge@next') },
    ['npx', '-y', 'mcp-drawbridge@next'],
  ],
  ['npx with a file', { script: BIN, files: asked('./mcp-drawbridge-1.0.0.tgz') }, [NODE, BIN]],
  ['npx with words for a shell', { script: BIN, files: asked('mcp-drawbridge@1;reboot') }, [NODE, BIN]],
  ['npx whose note is gone', { script: BIN }, [NODE, BIN]],
  ['npx whose note is no JSON', { script: BIN, files: { [`${NPX}/package.json`]: '{' } }, [NODE, BIN]],
  [
    'npx, whose own folder is on the path',
    {
      script: BIN,
      files: asked('mcp-drawbridge'),
      searchPath: `${NPX}/node_modules/.bin:/usr/bin`,
      links: { [BIN]: MAIN },
    },
    ['npx', '-y', 'mcp-drawbridge'],
  ],
  [
    'npx on Windows',
    {
      script:
        'C:\\Users\\Ada L\\AppData\\Local\\npm-cache\\_npx\\0f\\node_modules\\mcp-drawbridge\\dist\\launch.cjs',
      files: {
        'C:/Users/Ada L/AppData/Local/npm-cache/_npx/0f/package.json':
          '{"_npx":{"packages":["mcp-drawbridge"]}}',
      },
      more: { platform: 'win32' },
    },
    ['npx', '-y', 'mcp-drawbridge'],
  ],
  [
    'bunx',
    { script: '/tmp/bunx-1000-mcp-drawbridge@latest/node_modules/.bin/mcp-drawbridge' },
    ['bunx', 'mcp-drawbridge'],
  ],
  [
    'bunx with a version',
    { script: '/tmp/bunx-1000-mcp-drawbridge@1.2.0/node_modules/mcp-drawbridge/dist/launch.cjs' },
    ['bunx', 'mcp-drawbridge@1.2.0'],
  ],
  [
    'pnpm dlx',
    { script: '/home/ada/.cache/pnpm/dlx/0a1b/19a-3/node_modules/mcp-drawbridge/dist/launch.cjs' },
    ['pnpm', 'dlx', 'mcp-drawbridge'],
  ],
  [
    'pnpm dlx of earlier versions',
    { script: '/home/ada/.local/share/pnpm/store/v3/tmp/dlx-4711/node_modules/.bin/mcp-drawbridge' },
    ['pnpm', 'dlx', 'mcp-drawbridge'],
  ],
  [
    'yarn dlx',
    { script: '/tmp/xfs-1a2b/dlx-4711/node_modules/mcp-drawbridge/dist/launch.cjs' },
    ['yarn', 'dlx', 'mcp-drawbridge'],
  ],
  [
    'a global package',
    {
      script: '/usr/bin/mcp-drawbridge',
      searchPath: '/usr/local/bin:/usr/bin',
      links: { '/usr/bin/mcp-drawbridge': MAIN },
    },
    ['mcp-drawbridge'],
  ],
  [
    'a global package by its script',
    { script: MAIN, searchPath: '/usr/bin', links: { [MAIN]: MAIN, '/usr/bin/mcp-drawbridge': MAIN } },
    ['mcp-drawbridge'],
  ],
  [
    'another version is on the path',
    {
      script: MAIN,
      searchPath: '/usr/bin',
      links: { [MAIN]: MAIN, '/usr/bin/mcp-drawbridge': '/old/launch.cjs' },
    },
    [NODE, MAIN],
  ],
  [
    "a project's own package: only npm puts its folder on the path",
    {
      script: MAIN,
      searchPath: '/work/node_modules/.bin',
      links: { [MAIN]: MAIN, '/work/node_modules/.bin/mcp-drawbridge': MAIN },
    },
    [NODE, MAIN],
  ],
  [
    'a relative folder on the path',
    { script: MAIN, searchPath: '.:', links: { [MAIN]: MAIN, 'mcp-drawbridge': MAIN } },
    [NODE, MAIN],
  ],
  ['a checkout, without a path', { script: MAIN }, [NODE, MAIN]],
  [
    'flags of Node that decide about certificates',
    { script: MAIN, more: { execArgv: ['--use-system-ca', '--inspect'] } },
    [NODE, '--use-system-ca', MAIN],
  ],
  [
    "a bundle that runs on a desktop program's Node",
    { script: MAIN, more: { isElectron: true } },
    ['npx', '-y', 'mcp-drawbridge'],
  ],
  [
    'a global package on Windows',
    {
      script: `${WINDOWS}\\node_modules\\mcp-drawbridge\\dist\\launch.cjs`,
      searchPath: `C:\\Windows;${WINDOWS}`,
      links: { [`${WINDOWS}\\mcp-drawbridge.cmd`]: `${WINDOWS}\\mcp-drawbridge.cmd` },
      more: { platform: 'win32' },
    },
    ['mcp-drawbridge'],
  ],
  [
    'not that of another folder',
    {
      script: 'D:\\work\\mcp-drawbridge\\dist\\launch.cjs',
      searchPath: `C:\\Windows;${WINDOWS}`,
      links: { [`${WINDOWS}\\mcp-drawbridge.cmd`]: `${WINDOWS}\\mcp-drawbridge.cmd` },
      more: { platform: 'win32' },
    },
    [NODE, 'D:\\work\\mcp-drawbridge\\dist\\launch.cjs'],
  ],
])('%s', (_, { script, searchPath = '', files = {}, links = {}, more = {} }, words) => {
  const command = programCommand({
    script,
    searchPath,
    execPath: NODE,
    execArgv: [],
    platform: 'linux',
    isElectron: false,
    readFile: (path) => files[path],
    realPath: (path) => links[path],
    ...more,
  });
  expect(command).toEqual(words);
});
