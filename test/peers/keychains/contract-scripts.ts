import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * `/usr/bin/security` of macOS, as far as it is asked: `-i` reads commands from stdin and splits each line at blanks outside of quotes, a backslash takes the
 * next character as it is (SecurityTool/security.c); exit codes are the last byte of an OSStatus. `$STATE` is the file with the items; where `$STATE.locked` is
 * there, the keychain is locked and cannot prompt.
 */
const SECURITY = `
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { STATE } = process.env;
const items = existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')) : {};
function fail(code, words) {
  process.stderr.write('security: ' + words + '\\n');
  return code;
}
function run([command, ...args]) {
  const options = {};
  for (let at = 0; at < args.length; at++) {
    const takesValue = args[at] !== '-U' && !(args[at] === '-w' && command !== 'add-generic-password');
    options[args[at]] = takesValue ? args[++at] : true;
  }
  if (existsSync(STATE + '.locked')) return fail(36, 'SecKeychainSearchCopyNext: User interaction is not allowed.');
  const key = options['-s'] + ' ' + options['-a'];
  switch (command) {
    case 'add-generic-password':
      if (items[key] !== undefined && !options['-U']) return fail(45, 'The specified item already exists in the keychain.');
      items[key] = options['-w'];
      break;
    case 'find-generic-password':
      if (items[key] === undefined) return fail(44, 'SecKeychainSearchCopyNext: The specified item could not be found in the keychain.');
      process.stdout.write(items[key] + '\\n');
      return 0;
    case 'delete-generic-password':
      if (items[key] === undefined) return fail(44, 'SecKeychainSearchCopyNext: The specified item could not be found in the keychain.');
      delete items[key];
      break;
    default:
      return fail(1, 'unknown command');
  }
  writeFileSync(STATE, JSON.stringify(items));
  return 0;
}
function split(line) {
  const words = [];
  let word, quote = '';
  for (let at = 0; at < line.length; at++) {
    let character = line[at];
    if (character === '\\\\') character = line[++at];
    else if (quote === '' && /\\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    } else if (quote === '' && word === undefined && /["']/.test(character)) {
      quote = character;
      word = '';
      continue;
    } else if (character === quote) {
      words.push(word);
      word = undefined;
      quote = '';
      continue;
    }
    word = (word ?? '') + character;
  }
  return word === undefined ? words : [...words, word];
}
const args = process.argv.slice(2);
if (args[0] !== '-i') process.exitCode = run(args);
else for (const line of readFileSync(0, 'utf8').split('\\n').filter(Boolean)) process.exitCode = run(split(line));
`;

/**
 * Windows PowerShell, as far as it is asked: two lines on stdin, Base64 of the result on stdout, exit code 1 and words on stderr for an exception. The text in
 * for DPAPI is no encryption; it opens only with the account that it was made with, and for the user named by \`$USERNAME\`.
 */
const POWERSHELL = `
const { readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const script = args[args.indexOf('-Command') + 1] ?? '';
if (!args.includes('-NonInteractive') || !args.includes('-NoProfile')) throw new Error('it would ask, or run a profile');
const direction = /ProtectedData\\]::(Protect|Unprotect)\\(.*'CurrentUser'\\)/.exec(script)?.[1];
const [account = '', text = ''] = readFileSync(0, 'utf8').split('\\n');
const mark = [process.env.USERNAME, account, ''].join(' ');
if (direction === 'Protect') process.stdout.write(Buffer.from(mark + text).toString('base64'));
else {
  const open = Buffer.from(text, 'base64').toString('utf8');
  if (direction === 'Unprotect' && open.startsWith(mark)) process.stdout.write(open.slice(mark.length));
  else {
    process.stderr.write('Exception calling "Unprotect": "Key not valid for use in specified state."\\r\\n');
    process.exitCode = 1;
  }
}
`;

/** Writes the program and returns its path. */
export function securityScript(folder: string): Promise<string> {
  return script(join(folder, 'security'), SECURITY);
}

export function powershellScript(folder: string): Promise<string> {
  return script(join(folder, 'powershell'), POWERSHELL);
}

async function script(path: string, text: string): Promise<string> {
  await writeFile(path, `#!${process.execPath}\n${text}`);
  await chmod(path, 0o755);
  return path;
}
