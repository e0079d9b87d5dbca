import { describe, expect, test } from 'vitest';
import {
  endpointElsewhere,
  formatStoreUrl,
  parseStoreUrl,
  type StoreUrl,
  StoreUrlFault,
} from '../../../src/protocol/store-url.ts';

const CANARY = 's3cr3t-canary';

function read(text: string): StoreUrl {
  const url = parseStoreUrl(text);
  if (url instanceof StoreUrlFault) throw new Error(`refused ${text}: ${url.expected}`);
  return url;
}

const refusal = (text: string): string | undefined => {
  const url = parseStoreUrl(text);
  return url instanceof StoreUrlFault ? url.expected : undefined;
};

test('one server, with every part', () => {
  const text = 'rediss://ada:p%40ss%2Fw%3Ard@Store.Example:6380/2?ca=%2Fca%20s.pem&cert=/c.pem&key=/k.pem';
  expect(read(text)).toEqual({
    tls: true,
    endpoints: [{ host: 'store.example', port: 6380 }],
    primary: undefined,
    user: 'ada',
    password: 'p@ss/w:rd',
    database: 2,
    files: { ca: '/ca s.pem', cert: '/c.pem', key: '/k.pem' },
  });
});

test.each([
  ['rediss://ada:@store.example', { user: 'ada', password: undefined }],
  ['rediss://ada@store.example', { user: 'ada', password: undefined }],
  ['rediss://:a:b@store.example', { user: undefined, password: 'a:b' }],
  ['rediss://store.example:65535', { endpoints: [{ host: 'store.example', port: 65_535 }] }],
  ['rediss://store.example?ca=/a=b', { files: { ca: '/a=b' } }],
])('reads %s', (text, parts) => expect(read(text)).toMatchObject(parts));

test('Sentinels, with ports, IPv6 and a database', () => {
  expect(read('redis+sentinel://:pw@127.0.0.1:1,[::1]:2,localhost/my%20master/3')).toEqual({
    tls: false,
    endpoints: [
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
      { host: 'localhost', port: 26_379 },
    ],
    primary: 'my master',
    user: undefined,
    password: 'pw',
    database: 3,
    files: {},
  });
});

test.each([
  ['redis://localhost'],
  ['rediss://store.example:6380/2'],
  ['redis://[::1]:7000'],
  ['rediss://:only%20password@store.example'],
  ['rediss://ada:p%40ss@store.example?ca=%2Fca.pem'],
  ['rediss+sentinel://ada@a.example,b.example:5/mymaster/1?cert=%2Fc&key=%2Fk'],
])('%s is the canonical form of itself', (text) => expect(formatStoreUrl(read(text))).toBe(text));

test("Valkey's schemes, capital letters and default ports are normalized", () => {
  expect(formatStoreUrl(read('VALKEYS://Store.Example:6379/0'))).toBe('rediss://store.example');
  expect(formatStoreUrl(read('valkey+sentinel://localhost:26379/m'))).toBe('redis+sentinel://localhost/m');
});

test('the shown form has no password', () => {
  expect(formatStoreUrl(read(`rediss://ada:${CANARY}@store.example/1`), true)).toBe(
    'rediss://ada@store.example/1',
  );
  expect(formatStoreUrl(read(`rediss://:${CANARY}@store.example`), true)).toBe('rediss://store.example');
});

describe('refused without quoting the value', () => {
  test.each([
    ['postgres://ada:s3cr3t-canary@store.example/db', 'rediss+sentinel://'],
    ['store.example:6379', 'rediss://'],
    ['xrediss://store.example', 'an address with redis://'],
    ['rediss://', 'a host, or a host and a port'],
    ['rediss:///1', 'a host, or a host and a port'],
    ['rediss://store.example:65536', 'a port'],
    ['rediss://store.example?ca', 'ca, cert, key'],
    ['rediss://a.example,b.example', 'one host'],
    ['rediss://ada:s3cr3t-canary@a.example,/', 'a host'],
    ['rediss://::1', 'brackets'],
    ['rediss://[::1', 'brackets'],
    ['rediss://a example', 'blanks'],
    ['rediss://s3cr3t-canary\n@a.example', 'blanks'],
    ['redis://\ud800@localhost', 'control characters'],
    ['rediss+sentinel://a.example/my%1b[2Jname', 'control characters'],
    ['rediss://store.example:0', 'a port'],
    ['rediss://store.example:70000', 'a port'],
    ['rediss://store.example/name', 'the number of a database'],
    ['rediss://store.example/1/2', 'the number of a database'],
    ['rediss+sentinel://store.example', 'the name that the Sentinels give'],
    ['rediss+sentinel://store.example/', 'the name that the Sentinels give'],
    ['rediss+sentinel://store.example/name/x', 'the number of a database'],
    ['rediss://store.example?tls=no', 'ca, cert, key'],
    ['rediss://store.example?ca=', 'ca, cert, key'],
    ['rediss://store.example?cert=/c.pem', 'cert and key together'],
    ['redis://localhost?ca=/ca.pem', 'rediss://'],
    ['rediss://ada:s3cr3t-canary@store.example#1', 'without a fragment'],
    ['rediss://ada:%zzs3cr3t-canary@store.example', 'percent-encoded'],
    ['rediss://ada:s3cr3t/canary@store.example', 'a host'],
  ])('%s', (text, expected) => {
    expect(refusal(text)).toContain(expected);
    expect(refusal(text)).not.toMatch(/s3cr3t|canary|ada/);
  });
});

test('which hosts are not this machine', () => {
  const elsewhere = (text: string) => endpointElsewhere(read(text).endpoints)?.host;
  for (const text of [
    'redis://localhost',
    'redis://127.0.0.9',
    'redis://127.100.200.109',
    'redis://[::1]:1',
    'redis+sentinel://localhost,[::1]/m',
  ])
    expect(elsewhere(text)).toBeUndefined();
  expect(elsewhere('redis+sentinel://127.0.0.1,store.example/m')).toBe('store.example');
  expect(elsewhere('redis://127.0.0.1.example')).toBe('127.0.0.1.example');
  expect(elsewhere('redis://x.localhost')).toBe('x.localhost');
});
