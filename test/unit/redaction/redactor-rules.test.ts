import { describe, expect, test } from 'vitest';
import { createRedactor, type SecretKind } from '../../../src/redaction/redactor.ts';
import { keepSecret, redactor as ofTheProcess } from '../../../src/redaction/secrets.ts';

const SECRET = 'Hunter-2-hunter';

function knowing(...secrets: string[]) {
  const redactor = createRedactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

describe('cut after the removal', () => {
  test.each([
    [0, ''],
    [3, 'abc'],
    [4, 'abc '],
    [5, 'abc [redacted]'],
    [19, 'abc [redacted]'],
    [20, 'abc [redacted] '],
    [22, 'abc [redacted] de'],
    [99, 'abc [redacted] def'],
    [undefined, 'abc [redacted] def'],
  ])('at %s: %j', (limit, expected) => {
    const { redactRegistered, redact, redactForPerson } = knowing(SECRET);
    for (const each of [redactRegistered, redact, redactForPerson])
      expect(each(`abc ${SECRET} def`, limit)).toBe(expected);
  });

  test('without any secret too', () => {
    expect(createRedactor().redactRegistered('abcdef', 3)).toBe('abc');
  });

  test('a secret across the limit that takes twelve characters for each of its own', () => {
    const twice = (text: string) =>
      [...text].map((character) => `%26%23x${character.charCodeAt(0).toString(16)}%3B`).join('');
    const long = 'abcdefghijklmnopqrstuvwxyz';
    expect(knowing(long).redactRegistered(`x ${twice(long)}`, 3)).toBe('x [redacted]');
  });
});

describe('where two secrets meet', () => {
  test.each([
    ['beside each other', `${SECRET}${SECRET}`, '[redacted]'],
    ['one character between them', `${SECRET}.${SECRET}`, '[redacted].[redacted]'],
    ['in the middle', `a${SECRET}${SECRET}b`, 'a[redacted]b'],
    ['at both ends', `${SECRET} ${SECRET}`, '[redacted] [redacted]'],
    ['one in the other', 'a Hunter-2-hunter-3 b', 'a [redacted] b'],
    ['overlapping', 'a Hunter-2-hunter-3-and-more b', 'a [redacted] b'],
  ])('%s', (_, text, expected) => {
    const redactor = knowing(SECRET, 'Hunter-2-hunter-3', 'hunter-3-and-more');
    expect(redactor.redactRegistered(text)).toBe(expected);
  });
});

describe('how many are kept', () => {
  const name = (n: number) => `secret-number-${n}-`;
  test.each<[SecretKind | undefined, number]>([
    [undefined, 256],
    ['credential', 256],
    ['session', 16],
    ['cookie', 128],
  ])('of the kind %s: the newest %d', (kind, kept) => {
    const redactor = createRedactor();
    for (let n = 0; n <= kept; n++) redactor.add(name(n), kind);
    expect(redactor.redactRegistered(name(0))).toBe(name(0));
    expect(redactor.redactRegistered(name(1))).toBe('[redacted]');
    expect(redactor.redactRegistered(name(kept))).toBe('[redacted]');
  });

  test('settings are kept all', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 1_000; n++) redactor.add(name(n), 'setting');
    expect(redactor.redactRegistered(name(0))).toBe('[redacted]');
  });

  test('one that comes again is the newest', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 16; n++) redactor.add(name(n), 'session');
    redactor.add(name(0), 'session');
    redactor.add(name(16), 'session');
    expect(redactor.redactRegistered(name(0))).toBe('[redacted]');
    expect(redactor.redactRegistered(name(1))).toBe(name(1));
  });

  test('kinds do not push out each other', () => {
    const redactor = knowing(SECRET);
    for (let n = 0; n < 300; n++) redactor.add(name(n), 'cookie');
    expect(redactor.redactRegistered(SECRET)).toBe('[redacted]');
  });
});

describe('what turned out to be none', () => {
  test.each([
    ['before anything was looked for', false],
    ['after that', true],
  ])('is forgotten %s', (_, looked) => {
    const redactor = knowing(SECRET, 'another-secret');
    if (looked) redactor.redactRegistered('x');
    redactor.forget(SECRET);
    expect(redactor.redactRegistered(`${SECRET} another-secret`)).toBe(`${SECRET} [redacted]`);
  });

  test('with what stands behind its scheme, whatever its kind', () => {
    const redactor = createRedactor();
    redactor.add('Bearer abcdef-123', 'cookie');
    redactor.redactRegistered('x');
    redactor.forget('Bearer abcdef-123');
    expect(redactor.redactRegistered('abcdef-123')).toBe('abcdef-123');
    expect(() => redactor.forget('never known')).not.toThrow();
  });
});

describe('what a header holds', () => {
  const basic = Buffer.from('me:hunter-2').toString('base64');
  test.each<[string, string[], string[]]>([
    ['Bearer   abcdef-123', ['abcdef-123'], ['Bearer']],
    [`BASIC ${basic}`, [basic, 'me:hunter-2', 'hunter-2'], []],
    [`Token ${basic}`, [basic], ['hunter-2 ']],
    ['Bearer abcdef-123 x', [], ['abcdef-123']],
    ['x: Bearer abcdef-123', [], ['abcdef-123']],
    ['abcdef-123', ['abcdef-123'], []],
  ])('%s', (value, secrets, others) => {
    const { redactRegistered } = knowing(value);
    expect(redactRegistered(`<${value}>`)).toBe('<[redacted]>');
    for (const secret of secrets) expect(redactRegistered(`<${secret}>`)).toMatch(/^<\[redacted\]=*>$/);
    for (const other of others) expect(redactRegistered(`<${other}>`)).toBe(`<${other}>`);
  });
});

describe('spellings', () => {
  test('Base64 of a text that holds it, wherever it begins', () => {
    const { redactRegistered } = knowing(SECRET);
    for (const before of ['', 'x', 'xy', 'xyz', 'user:']) {
      const coded = Buffer.from(`${before}${SECRET}!`).toString('base64');
      expect(redactRegistered(coded), before).toMatch(/^.{0,9}\[redacted\].{0,8}$/);
    }
  });

  test('a few characters of Base64 stand anywhere by chance', () => {
    const { redactRegistered } = knowing('hunter');
    expect(redactRegistered(Buffer.from('hunter').toString('base64'))).toBe('[redacted]');
    const within = Buffer.from('\0hunter').toString('base64').slice(4, -4);
    expect(redactRegistered(`<${within}>`)).toBe(`<${within}>`);
    expect(redactRegistered('<>')).toBe('<>');
  });

  test('bytes that were read as Latin-1', () => {
    const { redactRegistered } = knowing('pässwörd');
    expect(redactRegistered('a pässwörd b')).toBe('a [redacted] b');
    expect(redactRegistered(`a ${Buffer.from('pässwörd').toString('latin1')} b`)).toBe('a [redacted] b');
  });

  test('a cut piece of a long secret', () => {
    const long = Array.from({ length: 10 }, (_, n) => `part-${n}`).join('/');
    const { redactRegistered } = knowing(long);
    expect(redactRegistered(`<${long.slice(7, 31)}>`)).toBe('<[redacted]>');
    expect(redactRegistered(`<${long.slice(7, 30)}>`)).toBe(`<${long.slice(7, 30)}>`);
  });
});

describe('by the name beside it, for logs', () => {
  const { redact, redactForPerson } = createRedactor();
  const names = [
    'token',
    'access_token',
    'x-my.token_of-2',
    'client_secret',
    'secret',
    'password',
    'passwd',
    'client_assertion',
    'api_key',
    'apikey',
    'x-api-key',
    'signature',
    'key',
    'code',
    'code_verifier',
    'device_code',
    'authorization',
    'cookie',
    'set-cookie',
    'TOKEN',
  ];
  test.each(names)('%s', (name) => {
    for (const each of [redact, redactForPerson]) {
      expect(each(`{"${name}":"abc","x":"y"}`)).toBe(`{"${name}":"[redacted]","x":"y"}`);
      expect(each(`{"${name}"  :  "a\\"b"}`)).toBe(`{"${name}"  :  "[redacted]"}`);
      expect(each(`"{\\"${name}\\" : \\"abc\\"}"`)).toBe(`"{\\"${name}\\" : \\"[redacted]\\"}"`);
      for (const before of ['', '?', 'x&', 'x;', 'x#', 'x ', 'x"', "x'", 'x(', 'x,'])
        expect(each(`${before}${name}=abc`)).toBe(`${before}${name}=[redacted]`);
      for (const after of ['&x', ' x', '"', "'", '#x', ';x', ')', ','])
        expect(each(`${name}=abc${after}`)).toBe(`${name}=[redacted]${after}`);
    }
  });

  test.each([
    'token_endpoint',
    'token_type',
    'my-token-method',
    'keys',
    'monkey',
    'codec',
    'xcode',
    'cookies',
    'authorizations',
    'device_codes',
  ])('%s is no such name', (name) => {
    const texts = [`{"${name}":"abc"}`, `?${name}=abc`, `"{\\"${name}\\":\\"abc\\"}"`];
    for (const text of texts) expect(redact(text)).toBe(text);
  });

  test.each(['x.key=abc', '/key=abc', 'token=…', 'token=', '"token": 7', '"token" "abc"'])(
    '%s stays',
    (text) => {
      expect(redact(text)).toBe(text);
    },
  );

  test('the state of a sign-in, but not for the person who signs in', () => {
    for (const text of ['{"state":"abc"}', '?state=abc', '"{\\"state\\":\\"abc\\"}"']) {
      expect(redact(text)).not.toContain('abc');
      expect(redactForPerson(text)).toBe(text);
    }
  });

  test.each([
    ['Bearer abc', 'Bearer [redacted]'],
    ['bearer\tabc', 'bearer\t[redacted]'],
    ['BASIC    abc==', 'BASIC    [redacted]'],
    ['DPoP a.b~c+d/e-f_g', 'DPoP [redacted]'],
    ['Bearer     abc', 'Bearer     abc'],
    ['aBearer abc', 'aBearer abc'],
    ['Bearer realm="x"', 'Bearer realm="x"'],
    ["Bearer realm='x'", "Bearer realm='x'"],
    ['--dpop always', '--dpop always'],
    ['-dpop always', '-dpop [redacted]'],
    ['Bearer "x"', 'Bearer "x"'],
  ])('a scheme: %s', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redactForPerson(text)).toBe(expected);
  });
});

test('registered secrets alone are looked for before a host', () => {
  expect(knowing(SECRET).redactRegistered(`token=abc Bearer abc ${SECRET}`)).toBe(
    'token=abc Bearer abc [redacted]',
  );
});

test('what the whole process keeps', () => {
  keepSecret(undefined);
  keepSecret('kept-by-the-process');
  expect(ofTheProcess.redactRegistered('<kept-by-the-process>')).toBe('<[redacted]>');
  ofTheProcess.forget('kept-by-the-process');
});

test('what it costs is counted over all tables, those that are gone included', () => {
  const redactor = knowing(SECRET, 'another-secret-of-another-length');
  expect(redactor.steps).toBe(0);
  redactor.redactRegistered('x'.repeat(100));
  const { steps } = redactor;
  expect(steps).toBeGreaterThan(150);
  redactor.forget(SECRET);
  redactor.redactRegistered('x'.repeat(100));
  expect(redactor.steps).toBeGreaterThan(steps);
});
