import { describe, expect, test } from 'vitest';
import { createRedactor, type SecretKind } from '../../../src/redaction/redactor.ts';
import { keepSecret, redactor as ofTheProcess } from '../../../src/redaction/secrets.ts';

const SECRET = 'Hunter-2-hunter';

function knowing(...secrets: string[]) {
  const redactor = createRedactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

describe('truncation after redaction', () => {
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

  test('applies without any secret too', () => {
    expect(createRedactor().redactRegistered('abcdef', 3)).toBe('abc');
  });

  test('finds a secret across the limit that takes twelve characters for each of its own', () => {
    const twice = (text: string) =>
      [...text].map((character) => `%26%23x${character.charCodeAt(0).toString(16)}%3B`).join('');
    const long = 'abcdefghijklmnopqrstuvwxyz';
    expect(knowing(long).redactRegistered(`x ${twice(long)}`, 3)).toBe('x [redacted]');
  });
});

test('does not scan beyond the limit', () => {
  const redactor = knowing(SECRET);
  redactor.redactRegistered('x');
  const before = redactor.steps;
  redactor.redactRegistered('x'.repeat(1_000_000), 100);
  expect(redactor.steps - before).toBeLessThan(2_000);
});

describe('overlapping secrets', () => {
  test.each([
    ['beside each other', `${SECRET}${SECRET}`, '[redacted]'],
    ['one character between them', `${SECRET}.${SECRET}`, '[redacted].[redacted]'],
    ['in the middle', `a${SECRET}${SECRET}b`, 'a[redacted]b'],
    ['at both ends', `${SECRET} ${SECRET}`, '[redacted] [redacted]'],
    ['an escaped one before a plain one', `a %48unter-2-hunter b ${SECRET} c`, 'a [redacted] b [redacted] c'],
    ['one in the other', 'a Hunter-2-hunter-3 b', 'a [redacted] b'],
    ['overlapping', 'a Hunter-2-hunter-3-and-more b', 'a [redacted] b'],
  ])('%s', (_, text, expected) => {
    const redactor = knowing(SECRET, 'Hunter-2-hunter-3', 'hunter-3-and-more');
    expect(redactor.redactRegistered(text)).toBe(expected);
  });
});

describe('how many secrets are kept', () => {
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

  test('keeps all from settings', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 1_000; n++) redactor.add(name(n), 'setting');
    expect(redactor.redactRegistered(name(0))).toBe('[redacted]');
  });

  test('moves a repeated secret to the newest', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 16; n++) redactor.add(name(n), 'session');
    redactor.add(name(0), 'session');
    redactor.add(name(16), 'session');
    expect(redactor.redactRegistered(name(0))).toBe('[redacted]');
    expect(redactor.redactRegistered(name(1))).toBe(name(1));
  });

  test('kinds do not displace each other', () => {
    const redactor = knowing(SECRET);
    for (let n = 0; n < 300; n++) redactor.add(name(n), 'cookie');
    expect(redactor.redactRegistered(SECRET)).toBe('[redacted]');
  });
});

/** The tables have room for eight secrets of this length. When they are made again, half of it is for tokens. */
const LARGE = 64 * 1024;
/** A text that shares no run with one of another number, and is not looked for in Base64. */
const large = (n: number, characters = LARGE) => `${n}.`.repeat(characters).slice(0, characters);

describe('how many bytes are kept', () => {
  /** Adds the large secrets number 1 to `count`, with a look after each. */
  function grown(count: number, redactor = createRedactor()) {
    for (let n = 1; n <= count; n++) {
      redactor.add(large(n));
      redactor.redactRegistered('x');
    }
    return redactor;
  }
  const known = (redactor: ReturnType<typeof createRedactor>, numbers: number) =>
    Array.from({ length: numbers }, (_, n) => n + 1).filter(
      (n) => redactor.redactRegistered(`<${large(n, 200)}>`) === '<[redacted]>',
    );

  test('keeps all until the limit, then the newest half', () => {
    expect(known(grown(8), 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(known(grown(9), 9)).toEqual([6, 7, 8, 9]);
    expect(known(grown(13), 13)).toEqual([6, 7, 8, 9, 10, 11, 12, 13]);
    expect(known(grown(14), 14)).toEqual([11, 12, 13, 14]);
  });

  test('keeps as many when added at once', () => {
    const eight = createRedactor();
    const nine = createRedactor();
    for (let n = 1; n <= 8; n++) eight.add(large(n));
    for (let n = 1; n <= 9; n++) nine.add(large(n));
    expect(known(eight, 8)).toHaveLength(8);
    expect(known(nine, 9)).toEqual([6, 7, 8, 9]);
  });

  test('a repeated secret takes no more room', () => {
    const redactor = grown(8);
    for (let n = 0; n < 3; n++) {
      redactor.add(large(8));
      redactor.redactRegistered('x');
    }
    expect(known(redactor, 8)).toHaveLength(8);
  });

  test('nor does a secret of two kinds', () => {
    const redactor = grown(8);
    redactor.add(large(8), 'setting');
    redactor.add(large(9));
    expect(known(redactor, 9)).toEqual([5, 6, 7, 8, 9]);
  });

  test('secrets from settings take no room from the tokens', () => {
    const redactor = createRedactor();
    for (let n = 101; n <= 107; n++) redactor.add(large(n), 'setting');
    expect(known(grown(8, redactor), 8)).toHaveLength(8);
    expect(known(grown(9, redactor), 9)).toEqual([6, 7, 8, 9]);
    expect(redactor.redactRegistered(large(101))).toBe('[redacted]');
  });

  test.each(['session', 'cookie'] as const)('gives the kind %s a sixteenth', (kind) => {
    const redactor = createRedactor();
    for (let n = 21; n <= 23; n++) redactor.add(large(n, LARGE / 4), kind);
    grown(8, redactor);
    expect(known(redactor, 23).filter((n) => n > 20)).toEqual([22, 23]);
  });

  test('keeps the beginning of a secret too long for a header', () => {
    const redactor = createRedactor();
    redactor.add(`${large(1)}${large(2)}`);
    expect(known(redactor, 2)).toEqual([1]);
  });

  test('counts the Base64 spellings of shorter ones, a third more each', () => {
    const redactor = createRedactor();
    const of = (n: number) => large(n, 2_000);
    for (let n = 1; n <= 41; n++) {
      redactor.add(of(n));
      redactor.redactRegistered('x');
    }
    expect(known(redactor, 1)).toEqual([1]);
    redactor.add(of(42));
    expect(known(redactor, 42)).toEqual(Array.from({ length: 21 }, (_, n) => n + 22));
  });
});

describe('a value that turned out not to be secret', () => {
  test.each([
    ['before anything was looked for', false],
    ['after that', true],
  ])('is forgotten %s', (_, looked) => {
    const redactor = knowing(SECRET, 'another-secret');
    if (looked) redactor.redactRegistered('x');
    redactor.forget(SECRET);
    expect(redactor.redactRegistered(`${SECRET} another-secret`)).toBe(`${SECRET} [redacted]`);
  });

  test('is forgotten with the part after its scheme, whatever its kind', () => {
    const redactor = createRedactor();
    redactor.add('Bearer abcdef-123', 'cookie');
    redactor.redactRegistered('x');
    redactor.forget('Bearer abcdef-123');
    expect(redactor.redactRegistered('abcdef-123')).toBe('abcdef-123');
    expect(() => redactor.forget('never known')).not.toThrow();
  });

  test('rebuilds the tables once, and then not again', () => {
    const redactor = knowing(SECRET, 'another-secret');
    redactor.redactRegistered('x');
    redactor.forget(SECRET);
    redactor.redactRegistered('x');
    const { steps } = redactor;
    redactor.redactRegistered('x');
    expect(redactor.steps).toBe(steps);
  });
});

describe('a header value', () => {
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
  test('finds Base64 of a text that contains it, at any offset', () => {
    const { redactRegistered } = knowing(SECRET);
    for (const before of ['', 'x', 'xy', 'xyz', 'user:']) {
      const coded = Buffer.from(`${before}${SECRET}!`).toString('base64');
      expect(redactRegistered(coded), before).toMatch(/^.{0,9}\[redacted\].{0,8}$/);
    }
  });

  test('finds Base64 of the secret alone, with and without padding', () => {
    for (const secret of ['hunter-222', 'hunter-2222', 'hunter-22222']) {
      const { redactRegistered } = knowing(secret);
      const coded = Buffer.from(secret).toString('base64');
      expect(redactRegistered(`<${coded}>`)).toMatch(/^<\[redacted\]=*>$/);
      expect(redactRegistered(`<${coded.replaceAll('=', '')}>`)).toBe('<[redacted]>');
      const before = Buffer.from(`${secret}!!!!`).toString('base64');
      expect(redactRegistered(`<${before}>`)).toMatch(/^<\[redacted\]/);
    }
  });

  test('finds Base64 of the longest password a header can hold, and nothing longer', () => {
    const password = Array.from({ length: 1_000 }, (_, n) => n).join('');
    for (const [length, isFound] of [
      [2_048, true],
      [2_049, false],
    ] as const) {
      const { redactRegistered } = knowing(password.slice(0, length));
      const coded = Buffer.from(password.slice(0, length)).toString('base64');
      expect(redactRegistered(coded).includes('[redacted]')).toBe(isFound);
    }
  });

  test('ignores a few characters of Base64, which occur by chance', () => {
    const { redactRegistered } = knowing('hunter');
    expect(redactRegistered(Buffer.from('hunter').toString('base64'))).toBe('[redacted]');
    const within = Buffer.from('\0hunter').toString('base64').slice(4, -4);
    expect(redactRegistered(`<${within}>`)).toBe(`<${within}>`);
    expect(redactRegistered('<>')).toBe('<>');
  });

  test('finds bytes that were read as Latin-1', () => {
    const { redactRegistered } = knowing('pässwörd');
    expect(redactRegistered('a pässwörd b')).toBe('a [redacted] b');
    expect(redactRegistered(`a ${Buffer.from('pässwörd').toString('latin1')} b`)).toBe('a [redacted] b');
  });

  test('finds a cut piece of a long secret', () => {
    const long = Array.from({ length: 10 }, (_, n) => `part-${n}`).join('/');
    const { redactRegistered } = knowing(long);
    expect(redactRegistered(`<${long.slice(7, 31)}>`)).toBe('<[redacted]>');
    expect(redactRegistered(`<${long.slice(7, 30)}>`)).toBe(`<${long.slice(7, 30)}>`);
  });
});

describe('by the name next to it, for logs', () => {
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
  ])('%s is not such a name', (name) => {
    const texts = [`{"${name}":"abc"}`, `?${name}=abc`, `"{\\"${name}\\":\\"abc\\"}"`];
    for (const text of texts) expect(redact(text)).toBe(text);
  });

  test.each(['x.key=abc', '/key=abc', 'token=…', 'token=', '"token": 7', '"token" "abc"'])(
    '%s stays',
    (text) => {
      expect(redact(text)).toBe(text);
    },
  );

  test('redacts the state of a sign-in, except for the person who signs in', () => {
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

test('only registered secrets are redacted for a host', () => {
  expect(knowing(SECRET).redactRegistered(`token=abc Bearer abc ${SECRET}`)).toBe(
    'token=abc Bearer abc [redacted]',
  );
});

test('what the process keeps', () => {
  keepSecret(undefined);
  keepSecret('kept-by-the-process');
  expect(ofTheProcess.redactRegistered('<kept-by-the-process>')).toBe('<[redacted]>');
  ofTheProcess.forget('kept-by-the-process');
});

test('counts the cost over all tables, including discarded ones', () => {
  const redactor = knowing(SECRET, 'another-secret-of-another-length');
  expect(redactor.steps).toBe(0);
  redactor.redactRegistered('x'.repeat(100));
  const { steps } = redactor;
  expect(steps).toBeGreaterThan(150);
  redactor.forget(SECRET);
  redactor.redactRegistered('x'.repeat(100));
  expect(redactor.steps).toBeGreaterThan(steps);
});
