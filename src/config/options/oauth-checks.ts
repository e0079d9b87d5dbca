import { isLoopback } from '../../platform/http/loopback.ts';
import { check, expected } from './checks.ts';

/** A client id or secret (RFC 6749 appendix A.1 and A.2: VSCHAR), so that it cannot start another header or parameter. */
export const clientIdText = check((text) =>
  /^[\x20-\x7e]{1,4096}$/.test(text) ? text : expected('printable ASCII, at most 4096 characters'),
);

/** The name of an environment variable. */
export const variableName = check((text) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : expected('the name of an environment variable'),
);

/** An https address, or http on this machine. It stays as written, because a client id that is a URL is compared byte for byte. */
export const httpsUrl = check((text) => {
  if (!/^[\x21-\x7e]{1,2048}$/.test(text) || !URL.canParse(text)) return expected('an https address');
  const url = new URL(text);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
  const isPlain = url.username === '' && url.password === '' && !text.includes('#');
  return isSafe && isPlain ? text : expected('an https address without user name and fragment');
});

/** Parameters that the sign-in sets itself, or that would change what it checks afterwards. */
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

/** `--authorize-param`: a name and value (RFC 6749 appendix A). */
export const authorizeParameter = check((text): readonly [string, string] | ReturnType<typeof expected> => {
  const equals = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name) || !/^[\x20-\x7e]{0,1024}$/.test(value)) {
    return expected('NAME=VALUE, such as access_type=offline');
  }
  if (OWN_PARAMETERS.has(name)) return expected(`a name other than ${name}, which the sign-in sets itself`);
  return [name, value];
});
