import { filePath, oneOf, onOff } from './checks.ts';
import { authorizeParameter, clientIdText, httpsUrl, variableName } from './checks-client.ts';
import type { Option } from './option.ts';
import { presetNames } from './presets.ts';

/** Who signs in, and by which grant: the rest of the options of the group "Sign-in". */
export const clientOptions = {
  preset: {
    group: 'Sign-in',
    placeholder: 'NAME',
    help: `what one vendor needs: ${presetNames.join(', ')}; see the command presets`,
    shapesLogin: true,
    schema: oneOf(Object.fromEntries(presetNames.map((name) => [name, name]))),
  },
  'client-id': {
    group: 'Sign-in',
    placeholder: 'ID',
    help: 'a client that was registered by hand, instead of registering one',
    shapesLogin: true,
    schema: clientIdText,
  },
  'client-secret-env': {
    group: 'Sign-in',
    placeholder: 'VARIABLE',
    help: 'the environment variable that holds its secret',
    shapesLogin: true,
    schema: variableName,
  },
  'client-secret-file': {
    group: 'Sign-in',
    placeholder: 'FILE',
    help: 'the file that holds its secret',
    path: true,
    shapesLogin: true,
    schema: filePath,
  },
  'client-secret': {
    group: 'Sign-in',
    placeholder: 'SECRET',
    help: 'its secret as it is; in arguments every program on the machine can read it',
    secret: true,
    schema: clientIdText,
  },
  'client-key': {
    group: 'Sign-in',
    placeholder: 'FILE',
    help: 'private key (PEM or JWK) with which the client signs who it is',
    path: true,
    shapesLogin: true,
    schema: filePath,
  },
  'client-key-alg': {
    group: 'Sign-in',
    placeholder: 'ALG',
    help: 'how it signs, such as ES256, RS256, PS256, EdDSA (default: by the key)',
    shapesLogin: true,
    schema: oneOf({
      ...{ ES256: 'ES256', ES384: 'ES384', ES512: 'ES512', EdDSA: 'EdDSA' },
      ...{ RS256: 'RS256', RS384: 'RS384', RS512: 'RS512', PS256: 'PS256', PS384: 'PS384', PS512: 'PS512' },
    }),
  },
  'client-metadata-url': {
    group: 'Sign-in',
    placeholder: 'URL',
    help: 'a Client ID Metadata Document, where the server takes one',
    shapesLogin: true,
    schema: httpsUrl,
  },
  grant: {
    group: 'Sign-in',
    placeholder: 'GRANT',
    help: 'authorization_code (default), device_code, client_credentials, jwt-bearer, enterprise',
    shapesLogin: true,
    schema: oneOf({
      ...{ authorization_code: 'authorization_code', device_code: 'device_code' },
      ...{ client_credentials: 'client_credentials', 'jwt-bearer': 'jwt-bearer', enterprise: 'enterprise' },
    }),
  },
  'assertion-file': {
    group: 'Sign-in',
    placeholder: 'FILE',
    help: 'the JWT of --grant jwt-bearer, read anew each time',
    path: true,
    shapesLogin: true,
    schema: filePath,
  },
  'id-token-file': {
    group: 'Sign-in',
    placeholder: 'FILE',
    help: 'the ID token of --grant enterprise, read anew each time',
    path: true,
    shapesLogin: true,
    schema: filePath,
  },
  'idp-client-id': {
    group: 'Sign-in',
    placeholder: 'ID',
    help: 'the client of --grant enterprise at the identity provider',
    shapesLogin: true,
    schema: clientIdText,
  },
  'idp-token-endpoint': {
    group: 'Sign-in',
    placeholder: 'URL',
    help: "the identity provider's token endpoint for --grant enterprise",
    shapesLogin: true,
    schema: httpsUrl,
  },
  dpop: {
    group: 'Sign-in',
    placeholder: 'WHEN',
    help: 'tokens bound to a key (RFC 9449): auto (where asked for), always, never (default: auto)',
    shapesLogin: true,
    schema: oneOf({ auto: 'auto', always: 'always', never: 'never' }),
  },
  issuer: {
    group: 'Sign-in',
    placeholder: 'URL',
    help: 'the authorization server, byte for byte as its metadata names itself; no other will do',
    shapesLogin: true,
    schema: httpsUrl,
  },
  'authorize-param': {
    group: 'Sign-in',
    placeholder: 'NAME=VALUE',
    help: 'one more parameter of the authorization request; repeatable',
    repeatable: true,
    shapesLogin: true,
    schema: authorizeParameter,
  },
  'no-resource': {
    group: 'Sign-in',
    help: 'send no resource indicator (RFC 8707)',
    aliases: ['disable-resource-parameter'],
    shapesLogin: true,
    schema: onOff,
  },
  'use-id-token': {
    group: 'Sign-in',
    help: 'show the server the ID token instead of the access token',
    shapesLogin: true,
    schema: onOff,
  },
} satisfies Record<string, Option>;
