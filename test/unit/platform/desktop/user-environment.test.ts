import { expect, test } from 'vitest';
import { parseEnvironment, searchPath } from '../../../../src/platform/desktop/user-environment.ts';

test.each<[string, string, Record<string, string>]>([
  ['a display', 'DISPLAY=:0\nWAYLAND_DISPLAY=wayland-0\n', { DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' }],
  [
    'a value with an equals sign',
    'DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus',
    { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus' },
  ],
  [
    'a value in quotes',
    "HTTPS_PROXY=$'http://a:b\\'c@proxy.example:1'",
    { HTTPS_PROXY: "http://a:b'c@proxy.example:1" },
  ],
  ['a backslash', "X=$'a\\\\n'", { X: 'a\\n' }],
  ['an empty value', 'DISPLAY=', { DISPLAY: '' }],
  ['a line break in a value', "X=$'a\\nLD_PRELOAD=/x.so'\nY=1", { Y: '1' }],
  ['an escape character', "X=a\u001b[2J\nY=$'\\x1b'\nZ=1", { Z: '1' }],
  ['a quote without its end', "X=$'abc\nY=1", { Y: '1' }],
  ['a name that is none', '1X=1\nA-B=1\n=1\nBASH_FUNC_x%%=() {}\nY=1', { Y: '1' }],
  ['names of an object', '__proto__=x\nconstructor=y', { constructor: 'y', ['__proto__']: 'x' }],
  ['a value that is too long', `X=${'a'.repeat(4097)}\nY=1`, { Y: '1' }],
  ['other words', 'Failed to connect to bus: No medium found', {}],
])('%s', (_, text, expected) => {
  expect(Object.entries(parseEnvironment(text))).toEqual(expect.arrayContaining(Object.entries(expected)));
  expect(Object.keys(parseEnvironment(text))).toHaveLength(Object.keys(expected).length);
});

test.each([
  [undefined, '/usr/local/bin:/usr/bin:/bin'],
  ['', '/usr/local/bin:/usr/bin:/bin'],
  ['/opt/x/bin', '/opt/x/bin:/usr/local/bin:/usr/bin:/bin'],
  ['.:bin::/repo/node_modules/.bin:/repo/node_modules/.bin/:/bin', '/bin:/usr/local/bin:/usr/bin'],
  ['/bin:/opt/x/bin:/usr/bin', '/bin:/opt/x/bin:/usr/bin:/usr/local/bin'],
])('the search path %j becomes %j', (path, expected) => {
  expect(searchPath(path)).toBe(expected);
});
