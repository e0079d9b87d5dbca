import { describe, expect, test } from 'vitest';
import { packageCall, readCommand } from '../../../../src/install/entry/command-words.ts';
import { knownEntry } from '../../../../src/install/entry/known-command.ts';

const URL_TEXT = 'https://example.com/sse';

describe('the package in a command', () => {
  test.each<[string, string | undefined, readonly string[]]>([
    ['npx mcp-remote U', undefined, ['U']],
    ['npx -y mcp-remote U', undefined, ['U']],
    ['npx --yes --quiet mcp-remote@latest U --debug', 'latest', ['U', '--debug']],
    ['npx -y mcp-remote@0.1.29 U 3334', '0.1.29', ['U', '3334']],
    ['npx -p mcp-remote@0.1.0 mcp-remote U', undefined, ['U']],
    ['npx --package=mcp-remote mcp-remote U', undefined, ['U']],
    ['npx -y -- mcp-remote U', undefined, ['U']],
    ['/usr/local/bin/npx -y mcp-remote U', undefined, ['U']],
    ['C:\\nodejs\\npx.cmd -y mcp-remote U', undefined, ['U']],
    ['npm exec --yes -- mcp-remote U', undefined, ['U']],
    ['npm exec mcp-remote -- U', undefined, ['U']],
    ['npm x mcp-remote U', undefined, ['U']],
    ['bunx mcp-remote U', undefined, ['U']],
    ['bun x mcp-remote@next U', 'next', ['U']],
    ['pnpm dlx mcp-remote U', undefined, ['U']],
    ['pnpx mcp-remote U', undefined, ['U']],
    ['yarn dlx mcp-remote U', undefined, ['U']],
    ['deno run -A npm:mcp-remote@0.1.0 U', '0.1.0', ['U']],
    ['cmd /c npx -y mcp-remote U', undefined, ['U']],
    ['C:\\Windows\\System32\\cmd.exe /d /s /C npx mcp-remote U', undefined, ['U']],
    ['mcp-remote U', undefined, ['U']],
    ['/opt/homebrew/bin/mcp-remote U', undefined, ['U']],
    ['node /home/ann/.npm/_npx/0a1b/node_modules/mcp-remote/dist/proxy.js U', undefined, ['U']],
    ['node --use-system-ca -r ./x.js /usr/lib/node_modules/mcp-remote/dist/proxy.js U', undefined, ['U']],
    ['node C:\\npm\\node_modules\\mcp-remote\\dist\\proxy.js U', undefined, ['U']],
    ['env NODE_OPTIONS=--use-system-ca npx mcp-remote U', undefined, ['U']],
  ])('%s', (line, version, args) => {
    expect(packageCall(line.split(' '))).toEqual({ name: 'mcp-remote', version, args });
  });

  test.each<[string, readonly string[]]>([
    ['cmd, all in one', ['cmd', '/c', 'npx -y mcp-remote "https://example.com/a b"']],
    ['a shell', ['sh', '-c', "exec npx mcp-remote 'https://example.com/a b'"]],
    ['a login shell', ['/bin/zsh', '-lc', 'npx mcp-remote "https://example.com/a b"']],
  ])('through %s', (_, words) => {
    expect(packageCall(words)).toMatchObject({ name: 'mcp-remote', args: ['https://example.com/a b'] });
  });

  test.each<[string, readonly string[]]>([
    ['a shell with a variable', ['sh', '-c', 'npx mcp-remote $URL']],
    ['a shell with two commands', ['sh', '-c', 'source ~/.nvm/nvm.sh && npx mcp-remote https://x.y']],
    ['another package', ['npx', '-y', 'mcp-remote-control', 'U']],
    ['a file of that name', ['node', '/home/ann/mcp-remote.js', 'U']],
    ['docker', ['docker', 'run', 'mcp-remote', 'U']],
    ['nothing', ['npx']],
  ])('%s is not it', (_, words) => {
    expect(packageCall(words)?.name).not.toBe('mcp-remote');
  });

  test.each([
    ['npx', '-y', 'mcp-drawbridge@0.1.0', URL_TEXT],
    ['/usr/bin/node', '/usr/lib/node_modules/mcp-drawbridge/dist/launch.cjs', URL_TEXT],
    [
      '/usr/bin/node',
      '/home/ann/.local/share/mcp-drawbridge/program/mcp-drawbridge@0.1.0/dist/launch.cjs',
      URL_TEXT,
    ],
    ['drawbridge', URL_TEXT],
    ['node', '/src/dist/launch.cjs', URL_TEXT],
  ])('%s %s is ours', (...words) => {
    const own = { scripts: ['/src/dist/launch.cjs'], addressIn: () => undefined };
    expect(knownEntry({ command: words[0], args: words.slice(1) }, own)).toMatchObject({
      kind: 'ours',
      server: URL_TEXT,
    });
  });
});

describe('an entry', () => {
  const words = ['npx', 'x'];
  test.each([
    ['as most write it', { command: 'npx', args: ['x'], env: { A: 'b' } }],
    ['of opencode', { type: 'local', command: ['npx', 'x'], environment: { A: 'b' } }],
    [
      'of Cline, nested',
      { transport: { type: 'stdio', command: 'npx', args: ['x'], env: { A: 'b' } }, disabled: false },
    ],
    ['of Zed, as it was', { source: 'custom', command: { path: 'npx', args: ['x'], env: { A: 'b' } } }],
  ])('%s', (_, value) => {
    expect(readCommand(value)).toEqual({ words, env: { A: 'b' } });
  });

  test.each([[{ url: URL_TEXT }], ['npx'], [null], [{ command: 1 }], [{ command: 'npx', args: [1] }], [[]]])(
    '%j does not start a command',
    (value) => {
      expect(readCommand(value)).toBeUndefined();
    },
  );
});
