import { expect, test } from 'vitest';
import { withheldSettings } from '../../../../src/platform/program/program-settings.ts';

const there = {
  HOME: '/home/ada',
  DISPLAY: ':0',
  HTTPS_PROXY: 'http://proxy.example:3128',
  no_proxy: 'localhost',
  NODE_EXTRA_CA_CERTS: '/etc/company.pem',
  XDG_DATA_HOME: '/data/ada',
  MCP_DRAWBRIDGE_HOME: '/data/logins',
  MCP_DRAWBRIDGE_PROFILE: '',
  API_TOKEN: 's3cr3t',
  UNSET: undefined,
};

test('lists settings that a host left out, by name, and only settings of this program', () => {
  expect(withheldSettings({ HOME: '/home/ada', PATH: '/bin' }, there)).toEqual([
    'HTTPS_PROXY',
    'MCP_DRAWBRIDGE_HOME',
    'NODE_EXTRA_CA_CERTS',
    'XDG_DATA_HOME',
    'no_proxy',
  ]);
});

test('finds nothing missing if all are set, in either case', () => {
  expect(withheldSettings({ ...there, no_proxy: undefined, NO_PROXY: 'x' }, there)).toEqual([]);
});

test('treats both cases of a name as one, and an empty value as unset', () => {
  const both = { HTTPS_PROXY: 'http://a', https_proxy: 'http://a' };
  expect(withheldSettings({}, both)).toEqual(['https_proxy']);
  expect(withheldSettings({ HTTPS_PROXY: '' }, both)).toEqual(['https_proxy']);
});
