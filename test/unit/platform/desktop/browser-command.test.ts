import { describe, expect, test } from 'vitest';
import {
  type BrowserCommand,
  browserCommands,
  type Desktop,
  safeAddress,
} from '../../../../src/platform/desktop/browser-command.ts';

const ADDRESS = 'https://as.example/authorize?a=1&b=%20x';

function desktop(part: Partial<Desktop>): Desktop {
  return { platform: 'linux', release: '6.8.0-generic', env: {}, ...part };
}

describe('which commands', () => {
  const rundll = (folder: string): BrowserCommand => ({
    command: folder,
    args: ['url.dll,FileProtocolHandler', ADDRESS],
  });
  const linux: BrowserCommand[] = [
    { command: 'xdg-open', args: [ADDRESS] },
    { command: 'gio', args: ['open', ADDRESS] },
    { command: 'x-www-browser', args: [ADDRESS] },
  ];
  const wsl = [rundll('/mnt/c/Windows/System32/rundll32.exe'), { command: 'wslview', args: [ADDRESS] }];
  const windows = 'C:\\Windows\\System32\\rundll32.exe';

  test.each<[string, Partial<Desktop>, BrowserCommand[]]>([
    ['macOS', { platform: 'darwin' }, [{ command: '/usr/bin/open', args: [ADDRESS] }]],
    ['Linux with X', { env: { DISPLAY: ':0' } }, linux],
    ['Linux with Wayland', { env: { WAYLAND_DISPLAY: 'wayland-0' } }, linux],
    ['Linux without a display', {}, []],
    ['WSL', { env: { WSL_DISTRO_NAME: 'Debian' } }, wsl],
    ['WSL, known by its kernel', { release: '5.15.90.1-microsoft-standard-WSL2' }, wsl],
    ['WSL with a display', { env: { WSL_DISTRO_NAME: 'Debian', DISPLAY: ':0' } }, [...wsl, ...linux]],
    ['Windows', { platform: 'win32', env: { SystemRoot: 'C:\\Windows\\' } }, [rundll(windows)]],
    [
      'Windows elsewhere',
      { platform: 'win32', env: { SystemRoot: 'D:\\Win' } },
      [rundll('D:\\Win\\System32\\rundll32.exe')],
    ],
    [
      'Windows, a relative folder planted',
      { platform: 'win32', env: { SystemRoot: '.' } },
      [rundll(windows)],
    ],
    [
      'an empty $BROWSER',
      { platform: 'darwin', env: { BROWSER: ' ' } },
      [{ command: '/usr/bin/open', args: [ADDRESS] }],
    ],
  ])('%s', (_name, part, commands) => {
    expect(browserCommands(desktop(part), ADDRESS)).toEqual(commands);
  });

  test.each<[string, string[][]]>([
    ['firefox', [['firefox', ADDRESS]]],
    ['firefox --new-window %s --x', [['firefox', '--new-window', ADDRESS, '--x']]],
    ['open-it --url=%s', [['open-it', `--url=${ADDRESS}`]]],
    [
      'a:b %s:c',
      [
        ['a', ADDRESS],
        ['b', ADDRESS],
        ['c', ADDRESS],
      ],
    ],
    [`'/opt/my browser/run' "a b" c\\ d`, [['/opt/my browser/run', 'a b', 'c d', ADDRESS]]],
    [`"x:y" ''`, [['x:y', '', ADDRESS]]],
    ['b 100%% %s', [['b', '100%', ADDRESS]]],
    ['sh -c "touch m" ; $(touch m)', [['sh', '-c', 'touch m', ';', '$(touch', 'm)', ADDRESS]]],
    ['::b', [['b', ADDRESS]]],
  ])('$BROWSER=%s', (BROWSER, words) => {
    const commands = browserCommands(desktop({ env: { BROWSER, DISPLAY: ':0' } }), ADDRESS);
    expect(commands.map(({ command, args }) => [command, ...args])).toEqual(words);
  });

  test('$BROWSER on Windows: `;` between commands, and a backslash is a backslash', () => {
    const env = { BROWSER: '"C:\\Program Files\\b.exe" -u %s;D:\\c.exe' };
    const commands = browserCommands(desktop({ platform: 'win32', env }), ADDRESS);
    expect(commands).toEqual([
      { command: 'C:\\Program Files\\b.exe', args: ['-u', ADDRESS] },
      { command: 'D:\\c.exe', args: [ADDRESS] },
    ]);
  });
});

describe('which addresses (SECURITY.md, attacks 1–3)', () => {
  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt://as.example/%0aalert(1)',
    'file:///etc/passwd',
    'data:text/html,<script>alert(1)</script>',
    'vscode://settings',
    'ms-msdt:/id',
    'smb://as.example/share',
    'ftp://as.example/',
    'view-source:https://as.example/',
    'blob:https://as.example/x',
    'http://as.example/authorize',
    'http://127.0.0.1.evil.example/',
    'http://localhost.evil.example/',
    'http://10.0.0.1/',
    'http://[::ffff:127.0.0.1]/',
    'https://user@as.example/',
    'https://as.example@evil.example/',
    'https://:secret@as.example/',
    '--help',
    '-a Calculator https://as.example',
    '//as.example/',
    '/usr/bin/true',
    'https://',
    '',
  ])('%j is refused on every platform', (address) => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      const env = { BROWSER: 'b', DISPLAY: ':0' };
      expect(() => browserCommands(desktop({ platform, env }), address)).toThrow(
        expect.objectContaining({ code: 'browser' }),
      );
    }
  });

  test.each([
    ['https://as.example/a?x=1&y=%2F#f', 'https://as.example/a?x=1&y=%2F#f'],
    ['http://127.0.0.1:4711/a', 'http://127.0.0.1:4711/a'],
    ['http://[::1]:4711/a', 'http://[::1]:4711/a'],
    ['http://localhost/a', 'http://localhost/a'],
    [' https://as.example/\n', 'https://as.example/'],
    ['HTTPS://AS.example/--help', 'https://as.example/--help'],
    ['https://as.example/$(touch m)', 'https://as.example/%24%28touch%20m%29'],
    ['https://as.example/?q=`id`;id|id', 'https://as.example/?q=%60id%60%3Bid%7Cid'],
    [`https://as.example/?q=<a>"b"'c'^d`, 'https://as.example/?q=%3Ca%3E%22b%22%27c%27%5Ed'],
    ['https://as.example/?q={a}\\b', 'https://as.example/?q=%7Ba%7D%5Cb'],
    ['https://as.example/?q=ä&r=\u202e', 'https://as.example/?q=%C3%A4&r=%E2%80%AE'],
    ['https://$(id).example/', 'https://%24%28id%29.example/'],
  ])('%j is opened as %s', (address, opened) => {
    expect(safeAddress(address)).toBe(opened);
  });
});
