import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/redaction/redactor.ts';

const token = (n: number, characters: number) =>
  `${n}.${'eyJhbGciOiJSUzI1NiJ9'.repeat(characters / 20)}.${n}`;
const LINE = `POST https://mcp.example/mcp 401 ${'{"error":"token expired"}'.repeat(10)}`;

/** What one more line costs, in looks at a table. */
function costOf(redactor: ReturnType<typeof createRedactor>, line: string): number {
  redactor.redact('the tables are made'.repeat(2));
  const before = redactor.steps;
  redactor.redact(line);
  return redactor.steps - before;
}

describe('what a line costs', () => {
  test('depends on the line, not on how many secrets there are or how long they are', () => {
    const one = createRedactor();
    one.add(token(0, 2_000));
    const most = 2 * costOf(one, LINE);
    for (const [count, characters] of [
      [240, 2_000],
      [20_000, 60],
      [40, 60_000],
    ] as const) {
      const many = createRedactor();
      for (let n = 0; n < count; n++) many.add(token(n, characters));
      expect(costOf(many, LINE)).toBeLessThan(most);
    }
  });

  test('a line that is all secret costs no more', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 200; n++) redactor.add(`${'a'.repeat(2_000)}${n}`);
    expect(costOf(redactor, 'a'.repeat(8_000))).toBeLessThan(2 * costOf(redactor, 'b'.repeat(8_000)) + 8_000);
  });

  test('each of 2,000 refreshes with a line after it costs what one of the first did', () => {
    const redactor = createRedactor();
    const costs: number[] = [];
    for (let n = 0; n < 2_000; n++) {
      const before = redactor.steps;
      redactor.add(token(n, 1_000));
      redactor.redact(LINE);
      costs.push(redactor.steps - before);
    }
    const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
    // On average: now and then the tables are made again.
    expect(sum(costs.slice(-500)) / 500).toBeLessThan(3 * (sum(costs.slice(0, 20)) / 20));
    expect(Math.max(...costs)).toBeLessThan(2_000_000);
  });

  test('escapes in escapes in escapes: so many copies and no more', () => {
    const redactor = createRedactor();
    redactor.add(token(1, 200));
    // Of many different runs: how far a single one has to be looked for is chance.
    const plain = costOf(redactor, LINE.repeat(30).slice(0, 6_000));
    expect(costOf(redactor, '\\u0025\\/%26%5cx41&amp;&#92;u0041'.repeat(200))).toBeLessThan(20 * plain);
  });

  test.each([
    ['"token"', '"token"'.repeat(200_000)],
    ['tokentoken', 'token'.repeat(200_000)],
    ['Bearer', 'Bearer '.repeat(200_000)],
    ['backslashes', `"token":"${'\\'.repeat(1_000_000)}`],
    ['a long word', 'a'.repeat(1_000_000)],
  ])('%s, a million characters of it, is gone through once', (_, text) => {
    // What goes through it once for each character would take hours.
    expect(createRedactor().redact(text)).not.toBe('');
  });
});

describe('what is remembered', () => {
  test('the newest, and what the user has set for good', () => {
    const redactor = createRedactor();
    redactor.add('the-header-of-the-user', 'setting');
    redactor.add('a-session-id-of-long-ago', 'session');
    for (let n = 0; n < 5_000; n++) redactor.add(token(n, 4_000));
    const clean = redactor.redact(
      `the-header-of-the-user a-session-id-of-long-ago ${token(4_999, 4_000)} ${token(4_998, 4_000)}`,
    );
    expect(clean).toBe('[redacted] [redacted] [redacted] [redacted]');
    expect(redactor.redact(`begin ${'an-old-one-'.repeat(3)}`)).toBe(`begin ${'an-old-one-'.repeat(3)}`);
  });

  test('a server that gives a new session id with each answer does not push out its token', () => {
    const redactor = createRedactor();
    redactor.add('the-access-token');
    for (let n = 0; n < 5_000; n++) redactor.add(`session-${n}-${'x'.repeat(1_000)}`, 'session');
    expect(redactor.redact('the-access-token session-4999-')).toBe('[redacted] session-4999-');
    expect(redactor.redact(`session-4999-${'x'.repeat(1_000)}`)).toBe('[redacted]');
  });

  test('a secret of a megabyte is looked for, and nothing breaks', () => {
    const redactor = createRedactor();
    redactor.add('0123456789abcdef'.repeat(64 * 1024));
    expect(redactor.redact(`x ${'0123456789abcdef'.repeat(100)} y`)).toBe('x [redacted] y');
  });
});
