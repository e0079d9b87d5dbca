import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cmdWord, powerShellWord, shellCommand } from '../../../../src/platform/program/shell-words.ts';

/** What cmd passes on of one argument that was typed: variables, then quotes and `^` (as in the phases 1 and 2 of its parser). */
function afterCmd(typed: string): string {
  const expanded = typed.replace(/%([^%]+)%/g, (whole, name: string) =>
    name === 'PATH' ? 'C:\\expanded' : whole,
  );
  let passed = '';
  let isQuoted = false;
  for (let at = 0; at < expanded.length; at++) {
    const character = expanded[at] as string;
    if (character === '"') isQuoted = !isQuoted;
    if (character === '^' && !isQuoted) passed += expanded[++at] ?? '';
    else if (!isQuoted && /[&|<>()\s]/.test(character))
      throw new Error(`cmd acts on ${character} in ${typed}`);
    else passed += character;
  }
  return passed;
}

/** What the C runtime makes of one argument ("Parsing C command-line arguments"). */
function afterRuntime(passed: string): string {
  let argument = '';
  let isQuoted = false;
  for (let at = 0; at < passed.length; ) {
    const backslashes = /^\\*/.exec(passed.slice(at))?.[0].length ?? 0;
    at += backslashes;
    if (passed[at] !== '"') {
      argument += '\\'.repeat(backslashes) + (passed[at] ?? '');
      at++;
      continue;
    }
    argument += '\\'.repeat(Math.floor(backslashes / 2));
    if (backslashes % 2 === 1) argument += '"';
    else if (isQuoted && passed[at + 1] === '"') {
      argument += '"';
      at++;
    } else isQuoted = !isQuoted;
    at++;
  }
  return argument;
}

const words = fc.array(
  fc.constantFrom(
    'a',
    ' ',
    '"',
    "'",
    '\\',
    '%',
    'PATH',
    '$',
    '`',
    '&',
    '^',
    '|',
    '(',
    '!',
    ',',
    ';',
    '=',
    'ü',
    '’',
    '“',
  ),
  { minLength: 1 },
);

describe('for cmd', () => {
  test('every word arrives unchanged, whatever it contains', () => {
    fc.assert(
      fc.property(words, (parts) => {
        const word = parts.join('');
        expect(afterRuntime(afterCmd(cmdWord(word)))).toBe(word);
      }),
    );
  });

  test.each([
    ['login', 'login'],
    ['C:\\Users\\me\\ca.pem', 'C:\\Users\\me\\ca.pem'],
    ['C:\\Program Files\\ca.pem', '"C:\\Program Files\\ca.pem"'],
    ['https://mcp.example/mcp?a=1&b=2', '"https://mcp.example/mcp?a=1&b=2"'],
    ["it's", '"it\'s"'],
    ['say "x"', '"say ""x"""'],
    ['100%PATH%', '"100"^%"PATH"^%""'],
    ['a b\\', '"a b\\\\"'],
    ['', '""'],
  ])('%j is typed as %s', (word, typed) => {
    expect(cmdWord(word)).toBe(typed);
  });
});

describe('for PowerShell', () => {
  test.each([
    ['C:\\Program Files\\ca.pem', '"C:\\Program Files\\ca.pem"'],
    ['a,b', '"a,b"'],
    ['@x', '"@x"'],
    ['Bearer ${TOKEN}', "'Bearer ${TOKEN}'"],
    ['it`s $(me)', "'it`s $(me)'"],
    ["it's", '"it\'s"'],
    ["it's $5", "'it''s $5'"],
    ['$ ’', "'$ ’’'"],
    ['“x”', "'“x”'"],
    ['', '""'],
  ])('%j is typed as %s', (word, typed) => {
    expect(powerShellWord(word)).toBe(typed);
  });
});

test('on Windows one command serves both shells if they read it alike; otherwise each has its own', () => {
  expect(shellCommand(['x', '--scope', 'read write'], 'win32')).toBe('x --scope "read write"');
  expect(shellCommand(['x', '--scope', '$all now'], 'win32')).toBe(
    'x --scope "$all now" (in PowerShell: x --scope \'$all now\')',
  );
  expect(shellCommand(['C:\\Program Files\\node.exe', 'x'], 'win32')).toBe(
    '"C:\\Program Files\\node.exe" x (in PowerShell: & "C:\\Program Files\\node.exe" x)',
  );
  expect(shellCommand(['x', '--scope', '$all now'], 'linux')).toBe("x --scope '$all now'");
});
