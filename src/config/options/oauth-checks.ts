import { isLoopback } from '../../platform/http/loopback.ts';
import { check, expected } from './checks.ts';

/** RFC 6749 appendix A.1 and A.2: VSCHAR, so that no secret can make a second header or parameter. */
export const clientIdText = check((text) =>
  /^[\x20-\x7e]{1,4096}$/.test(text) ? text : expected('printable ASCII, at most 4096 characters'),
);

export const variableName = check((text) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : expected('the name of an environment variable'),
);

/** Kept as written: a client id that is a URL is compared byte for byte. */
export const httpsUrl = check((text) => {
  if (!/^[\x21-\x7e]{1,2048}$/.test(text) || !URL.canParse(text)) return expected('an https address');
  const url = new URL(text);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
  const isPlain = url.username === '' && url.password === '' && !text.includes('#');
  return isSafe && isPlain ? text : expected('an https address without user name and fragment');
});

/** What the flow itself sets, and whose meaning would change what is checked afterwards. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  'response_type',
  'response_mode',
  'client_id',
  'client_secret',
  'redirect_uri',
  'state',
  'scope',
  'resource',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
  'dpop_jkt',
]);

export const authorizeParameter = check((text): readonly [string, string] | ReturnType<typeof expected> => {
  const equals = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name) || !/^[\x20-\x7e]{0,1024}$/.test(value)) {
    return expected('NAME=VALUE, such as access_type=offline');
  }
  if (OWN_PARAMETERS.has(name)) return expected(`another name than ${name}, which the sign-in itself sets`);
  return [name, value];
});
