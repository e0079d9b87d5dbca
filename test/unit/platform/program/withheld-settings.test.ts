import { expect, test } from 'vitest';
import { assignments, withheldNote } from '../../../../src/platform/program/withheld-settings.ts';

const SHELL = true;
const PLAIN = false;

test.each<[string, boolean, string, readonly string[]]>([
  ['an export', SHELL, 'export HTTPS_PROXY=http://proxy:1', ['HTTPS_PROXY']],
  ['several', SHELL, 'export http_proxy="http://a b" no_proxy=x EDITOR=vi', ['http_proxy', 'no_proxy']],
  ['a name that was set before', SHELL, 'HTTPS_PROXY=x\nexport HTTPS_PROXY', ['HTTPS_PROXY']],
  ['declare', SHELL, '  declare -x NODE_EXTRA_CA_CERTS=/ca.pem', ['NODE_EXTRA_CA_CERTS']],
  ['fish', SHELL, "set -gx MCP_DRAWBRIDGE_HOME '/x'", ['MCP_DRAWBRIDGE_HOME']],
  ['csh', SHELL, 'setenv SSL_CERT_FILE /ca.pem', ['SSL_CERT_FILE']],
  ['a variable that is not exported', SHELL, 'HTTPS_PROXY=x', []],
  ['a variable of one command', SHELL, 'HTTPS_PROXY=x curl https://example.com', []],
  ['a comment', SHELL, '# export HTTPS_PROXY=x\nexport A=1 # HTTPS_PROXY=x', []],
  ['no value', SHELL, 'export HTTPS_PROXY=\nexport NO_PROXY=""', []],
  ['the usual folder', SHELL, 'export XDG_DATA_HOME="$HOME/.local/share"', []],
  ['another folder', SHELL, 'export XDG_DATA_HOME=$HOME/data', ['XDG_DATA_HOME']],
  ['what is not for this program', SHELL, 'export API_KEY=1 XDG_CONFIG_HOME=/x NODE_OPTIONS=x', []],
  [
    'a file of PAM or systemd',
    PLAIN,
    'HTTPS_PROXY=http://proxy:1\nNO_PROXY="x"\n#A=1',
    ['HTTPS_PROXY', 'NO_PROXY'],
  ],
  ['the older form of PAM', PLAIN, 'HTTPS_PROXY DEFAULT=http://proxy:1', ['HTTPS_PROXY']],
  ['no text', PLAIN, '', []],
])('%s', (_, isShell, text, names) => {
  expect(Object.keys(assignments(text, isShell))).toEqual(names);
});

test('the note says what is missing and where it is set, never its value', () => {
  expect(withheldNote([])).toBeUndefined();
  const note = withheldNote([
    { name: 'HTTPS_PROXY', source: '~/.bashrc' },
    { name: 'SSL_CERT_FILE', source: 'systemd' },
  ]);
  expect(note).toContain(': HTTPS_PROXY (~/.bashrc), SSL_CERT_FILE (systemd).');
  expect(note).not.toContain('\n');
});
