import fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { type Edit, removeEntry, setEntry, undoEntry } from '../../../../src/install/edit/edit.ts';
import { applySplices, reversed } from '../../../../src/install/edit/splice.ts';
import { randomJsonFiles, randomTomlFiles } from '../../../peers/host-files/random-files.ts';

const entry = {
  command: '/usr/bin/node',
  args: ['/opt/launch.cjs', 'https://example.com/mcp'],
  env: { A: 'b' },
};
const strict = (text: string) => JSON.parse(text.replace(/^\ufeff/, ''));

function edited(found: ReturnType<typeof setEntry>): Edit {
  if (found.kind === 'refused')
    throw new Error(`${found.reason}, line ${found.line}, column ${found.column}`);
  return found;
}

/** The bytes of `text` in their order, among others. */
function isWithin(text: string, longer: string): boolean {
  let at = 0;
  for (const character of longer) if (character === text[at]) at++;
  return at >= [...text].join('').length || at === text.length;
}

describe.each([
  ['mcpServers', ['mcpServers']],
  ['mcp → servers', ['mcp', 'servers']],
  ['amp.mcpServers', ['amp.mcpServers']],
])('JSON, %s: in random files', (_, keys) => {
  const path = [...keys, 'example'];

  test('an entry that is installed and uninstalled leaves each byte unchanged', () => {
    fc.assert(
      fc.property(randomJsonFiles(keys), ({ text }) => {
        const installed = edited(setEntry('json', text, path, entry));
        expect(installed.after).not.toBe(text);
        const undone = undoEntry('json', installed.after, path, reversed(installed.splices));
        expect(undone?.after).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test('nothing is removed or reordered, and strict JSON stays strict', () => {
    fc.assert(
      fc.property(randomJsonFiles(keys), ({ text }) => {
        const { after, splices } = edited(setEntry('json', text, path, entry));
        for (const { removed } of splices) expect(removed.trim()).toBe('');
        expect(isWithin(text.replace(/\s/g, ''), after.replace(/\s/g, ''))).toBe(true);
        let before: unknown;
        try {
          before = strict(text);
        } catch {
          return;
        }
        const found = keys.reduce((value, key) => value[key], strict(after));
        expect(found.example).toEqual(entry);
        expect(before).toBeTypeOf('object');
      }),
      { numRuns: 300 },
    );
  });

  test('without a note of the installation, it is removed and the rest reads as before', () => {
    fc.assert(
      fc.property(randomJsonFiles(keys), ({ text, servers }) => {
        const { after } = edited(setEntry('json', text, path, entry));
        const removed = edited(removeEntry('json', after, path)).after;
        expect(removed).not.toContain('launch.cjs');
        // Where others are beside it, nothing has to be guessed.
        if (Object.keys(servers).length > 0 && !/[/,]\s*\}/.test(text)) expect(removed).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test('installed again with another address, it keeps members that were added by hand', () => {
    fc.assert(
      fc.property(randomJsonFiles(keys), ({ text }) => {
        const first = edited(setEntry('json', text, path, { ...entry, autoApprove: ['x'], args: ['old'] }));
        const second = edited(setEntry('json', first.after, path, entry));
        const third = edited(setEntry('json', second.after, path, entry));
        expect(third.splices).toEqual([]);
        expect(second.after).toContain('autoApprove');
        expect(applySplices(second.after, reversed(second.splices))).toBe(first.after);
      }),
      { numRuns: 200 },
    );
  });
});

describe('TOML: in random files', () => {
  const path = ['mcp_servers', 'example'];
  const valid = randomTomlFiles.filter((text) => {
    try {
      parseToml(text.replace(/^\ufeff/, ''), { integersAsBigInt: 'asNeeded' });
      return true;
    } catch {
      return false;
    }
  });

  test('an entry that is installed and uninstalled leaves each byte unchanged', () => {
    let tried = 0;
    fc.assert(
      fc.property(valid, (text) => {
        tried++;
        const installed = edited(setEntry('toml', text, path, entry));
        expect(installed.after.startsWith(text)).toBe(true);
        const undone = undoEntry('toml', installed.after, path, reversed(installed.splices));
        expect(undone?.after).toBe(text);
      }),
      { numRuns: 300 },
    );
    expect(tried).toBeGreaterThan(100);
  });

  test('without a note it is removed, and what comes after it stays', () => {
    fc.assert(
      fc.property(valid, (text) => {
        const { after } = edited(setEntry('toml', text, path, entry));
        const more = `${after}\n# about the next\n[mcp_servers.later]\ncommand = "x"\n`;
        const removed = edited(removeEntry('toml', more, path)).after;
        expect(removed).toContain('# about the next\n[mcp_servers.later]');
        expect(removed.startsWith(text.trimEnd())).toBe(true);
        expect(removed).not.toContain('launch.cjs');
      }),
      { numRuns: 200 },
    );
  });

  test('installed again with another address, it keeps approvals and settings made by hand', () => {
    fc.assert(
      fc.property(valid, (text) => {
        const first = edited(setEntry('toml', text, path, { ...entry, args: ['old'] }));
        const more = `${first.after}enabled = false # for now\n[mcp_servers.example.tools.read]\napproval = "auto"\n`;
        const second = edited(setEntry('toml', more, path, { ...entry, env_vars: ['DISPLAY'] }));
        expect(second.after).toContain('enabled = false # for now\n');
        expect(second.after).toContain('approval = "auto"\n');
        expect(edited(setEntry('toml', second.after, path, entry)).splices).toEqual([]);
        expect(applySplices(second.after, reversed(second.splices))).toBe(more);
      }),
      { numRuns: 200 },
    );
  });
});

describe('JSON', () => {
  const set = (text: string) => edited(setEntry('json', text, ['mcpServers', 'x'], { command: 'n' })).after;

  test.each([
    [
      'a file that is not there',
      '',
      '{\n  "mcpServers": {\n    "x": {\n      "command": "n"\n    }\n  }\n}\n',
    ],
    ['blanks alone', '  \n', '{\n  "mcpServers": {\n    "x": {\n      "command": "n"\n    }\n  }\n}\n'],
    ['an empty object', '{}\n', '{\n  "mcpServers": {\n    "x": {\n      "command": "n"\n    }\n  }\n}\n'],
    [
      'one line',
      '{"mcpServers":{"a":{"command":"m"}}}',
      '{"mcpServers":{"a":{"command":"m"},"x":{"command":"n"}}}',
    ],
    [
      'one line with blanks',
      '{"mcpServers": {"a": {}, "b": {}}}',
      '{"mcpServers": {"a": {}, "b": {}, "x": { "command": "n" }}}',
    ],
    [
      'no servers yet, tabs',
      '{\n\t"a": 1\n}',
      '{\n\t"a": 1,\n\t"mcpServers": {\n\t\t"x": {\n\t\t\t"command": "n"\n\t\t}\n\t}\n}',
    ],
    [
      'a comment behind the last one',
      '{\n  "mcpServers": {\n    "a": {} // mine\n    // the end\n  }\n}',
      '{\n  "mcpServers": {\n    "a": {}, // mine\n    "x": {\n      "command": "n"\n    }\n    // the end\n  }\n}',
    ],
    [
      'a trailing comma',
      '{\n  "mcpServers": {\n    "a": {}, // mine\n  },\n}',
      '{\n  "mcpServers": {\n    "a": {}, // mine\n    "x": {\n      "command": "n"\n    },\n  },\n}',
    ],
    [
      'a comment in an empty object',
      '{\n  "mcpServers": {\n    // none yet\n  }\n}',
      '{\n  "mcpServers": {\n    // none yet\n    "x": {\n      "command": "n"\n    }\n  }\n}',
    ],
    [
      'the same key twice: the last counts',
      '{"mcpServers":{"a":1},"mcpServers":{"b":2}}',
      '{"mcpServers":{"a":1},"mcpServers":{"b":2,"x":{"command":"n"}}}',
    ],
  ])('%s', (_, before, after) => {
    expect(set(before)).toBe(after);
  });

  test.each([
    ['a brace too few', '{\n  "mcpServers": {\n', /not valid JSON \(close brace expected\)/, 3],
    ['a list of servers', '{\n  "mcpServers": []\n}', /other than an object at "mcpServers"/, 2],
    ['null', '{ "mcpServers": null }', /other than an object at "mcpServers"/, 1],
    ['a list', '[]', /not a JSON object/, 1],
    ['two objects', '{}\n{}', /not valid JSON/, 2],
    ['a string that does not end', '{ "a": "b\n}', /not valid JSON/, 1],
  ])('%s is refused, with the line', (_, text, reason, line) => {
    expect(setEntry('json', text, ['mcpServers', 'x'], { command: 'n' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(reason),
      line,
    });
  });

  test('a member called __proto__ works, and an entry of that name too', () => {
    const text = '{ "__proto__": { "a": 1 }, "mcpServers": {} }';
    const { after } = edited(setEntry('json', text, ['mcpServers', '__proto__'], { command: 'n' }));
    expect(after).toContain('"__proto__": { "a": 1 }');
    expect(after).toContain('"mcpServers": {"__proto__":{"command":"n"}}');
  });
});

test('refuses edits that would remove something else', () => {
  const text = '{ "mcpServers": { "x": { "command": "n" }, "b": {} } }';
  const path = ['mcpServers', 'x'];
  const start = text.indexOf('"x"');
  const removed = text.slice(start, text.indexOf('"b"') + 7);
  expect(undoEntry('json', text, path, [{ start, removed, inserted: '' }])).toBeUndefined();
  expect(undoEntry('json', text, path, [{ start: start + 1, removed, inserted: '' }])).toBeUndefined();
  const own = text.slice(start, text.indexOf('"b"'));
  expect(undoEntry('json', text, path, [{ start, removed: own, inserted: '' }])?.after).toBe(
    '{ "mcpServers": { "b": {} } }',
  );
});

describe('TOML', () => {
  const path = ['mcp_servers', 'x'];

  test.each([
    ['an inline table', 'mcp_servers = { a = { command = "m" } }\n', /mcp_servers/, 1],
    ['an inline entry', 'a = 1\n[mcp_servers]\nx = { command = "m" }\n', /mcp_servers\.x/, 3],
    ['dotted keys', 'mcp_servers.x.command = "m"\n', /mcp_servers\.x/, 1],
    ['no value', 'a = 1\nb =\n', /not valid TOML/, 2],
    ['a key twice', 'a = 1\na = 2\n', /not valid TOML/, 2],
    ['a list of tables', '[[mcp_servers]]\nname = "m"\n', /mcp_servers/, 1],
  ])('%s is refused, with the line', (_, text, reason, line) => {
    const found = setEntry('toml', text, path, { command: 'n' });
    expect(found).toMatchObject({ kind: 'refused', reason: expect.stringMatching(reason), line });
  });

  test('preserves a Windows path, a quotation mark and a control character', () => {
    const value = { command: 'C:\\a "b"\\n', args: ['\u007f\t', '', "'"], env: { 'a.b': '=' } };
    const { after } = edited(setEntry('toml', '', path, value));
    expect(parseToml(after)).toEqual({ mcp_servers: { x: value } });
  });

  test('changes an environment in its own table there', () => {
    const text = '[mcp_servers.x]\ncommand = "n"\n\n[mcp_servers.x.env]\nA = "old"\nB = "mine"\n';
    const { after } = edited(setEntry('toml', text, path, { command: 'n', env: { A: 'new' } }));
    expect(after).toBe('[mcp_servers.x]\ncommand = "n"\n\n[mcp_servers.x.env]\nA = "new"\nB = "mine"\n');
  });
});
