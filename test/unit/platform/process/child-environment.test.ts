import { expect, test } from 'vitest';
import { desktopEnvironment, signInEnvironment } from '../../../../src/platform/process/child-environment.ts';

const session = {
  PATH: '/bin',
  HOME: '/home/x',
  LC_ALL: 'C',
  XDG_RUNTIME_DIR: '/run',
  DISPLAY: ':0',
  BROWSER: 'b',
};
const network = {
  https_proxy: 'http://u:p@proxy',
  NO_PROXY: 'a',
  NODE_EXTRA_CA_CERTS: '/ca',
  NODE_USE_SYSTEM_CA: '1',
  SSL_CERT_FILE: '/certs.pem',
  SSL_CERT_DIR: '/certs',
  MCP_DRAWBRIDGE_HOME: '/d',
};
const others = {
  GITHUB_TOKEN: 'secret',
  MCP_DRAWBRIDGE_HEADER: 'secret',
  AWS_SECRET_ACCESS_KEY: 'secret',
  NODE_OPTIONS: '--require x',
  LD_PRELOAD: '/x.so',
  PATHS: 'x',
  XDG: 'x',
  UNSET: undefined,
};

test("a browser gets only the variables of the person's session", () => {
  expect(desktopEnvironment({ ...session, ...network, ...others })).toEqual(session);
});

test('the sign-in process also gets the variables for reaching servers', () => {
  expect(signInEnvironment({ ...session, ...network, ...others })).toEqual({ ...session, ...network });
});

test('it gets the certificate flags of NODE_OPTIONS, and a browser none', () => {
  const NODE_OPTIONS = '--require /x.js --use-openssl-ca --max-old-space-size=64 --tls-cipher-list=HIGH';
  expect(signInEnvironment({ ...session, NODE_OPTIONS })).toEqual({
    ...session,
    NODE_OPTIONS: '--use-openssl-ca --tls-cipher-list=HIGH',
  });
  expect(desktopEnvironment({ ...session, NODE_OPTIONS })).toEqual(session);
});

test('names are case-insensitive, as on Windows', () => {
  expect(desktopEnvironment({ Path: 'C:\\', SystemRoot: 'C:\\Windows' })).toEqual({
    Path: 'C:\\',
    SystemRoot: 'C:\\Windows',
  });
});
