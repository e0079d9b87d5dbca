import { querySecrets } from '../../redaction/query-secrets.ts';
import { keepSecret } from '../../redaction/secrets.ts';
import { isRecord, type ReadValue } from '../edit/document.ts';
import { readCommand } from './command-words.ts';
import { isMachineVariable } from './environment.ts';

/** Objects whose values are often secrets. */
const SECRET_OBJECTS = new Set(['env', 'environment', 'envs', 'headers', 'http_headers', 'requestInit']);
/** Flags whose next word is one. */
const SECRET_FLAGS = /^--?[\w-]*(header|token|secret|passw|key|auth|client-info)[\w-]*$/i;

/**
 * Redacts from the output everything that may be secret in the entries of a host's file: the values of variables and headers, the arguments of flags such as
 * `--header`, and the queries of addresses.
 */
export function keepSecretsOf(servers: ReadValue): void {
  if (!isRecord(servers)) return;
  for (const entry of Object.values(servers)) {
    if (!isRecord(entry)) continue;
    for (const [key, value] of Object.entries(entry)) if (SECRET_OBJECTS.has(key)) keepValues(value);
    for (const word of readCommand(entry)?.words ?? []) keepQuery(word);
    const words = readCommand(entry)?.words ?? [];
    words.forEach((word, at) => {
      if (SECRET_FLAGS.test(word)) keepHeader(words[at + 1]);
      else if (/^--[\w-]+=/.test(word) && SECRET_FLAGS.test(word.split('=', 1)[0] ?? ''))
        keepHeader(word.replace(/^[^=]*=/, ''));
    });
    for (const key of ['url', 'serverUrl', 'httpUrl'])
      if (typeof entry[key] === 'string') keepQuery(entry[key]);
  }
}

/** Paths of certificates and the address of a proxy are not secret, unless it contains a password. */
function keepValues(variables: ReadValue): void {
  if (!isRecord(variables)) return keepTexts(variables);
  for (const [name, value] of Object.entries(variables)) {
    const isHarmless = isMachineVariable(name) && !(typeof value === 'string' && value.includes('@'));
    if (!isHarmless) keepTexts(value);
  }
}

function keepTexts(value: ReadValue): void {
  if (typeof value === 'string') keepSecret(value, 'setting');
  else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) keepTexts(each);
}

/** `Name: value`, `NAME=value` or the value alone. */
function keepHeader(text: string | undefined): void {
  if (text === undefined || /^\$\{\w+\}$/.test(text) || text.startsWith('-')) return;
  const value = text.replace(/^[\w-]+[:=]\s*/, '');
  if (!value.includes('${')) keepSecret(value, 'setting');
  if (text.startsWith('{') || text.startsWith('@')) keepSecret(text, 'setting');
}

function keepQuery(word: string): void {
  if (!/^https?:/.test(word) || !URL.canParse(word)) return;
  for (const secret of querySecrets(new URL(word))) keepSecret(secret, 'setting');
}
