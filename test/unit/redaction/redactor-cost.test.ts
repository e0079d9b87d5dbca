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

describe('the cost of a line', () => {
  test('depends on the line, not on the number or length of the secrets', () => {
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

  test('is not higher for a line full of secrets', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 200; n++) redactor.add(`${'a'.repeat(2_000)}${n}`);
    expect(costOf(redactor, 'a'.repeat(8_000))).toBeLessThan(2 * costOf(redactor, 'b'.repeat(8_000)) + 8_000);
  });

  test('is the same after each of 2,000 refreshes', () => {
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

  test('limits the copies made for nested escapes', () => {
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
  ])('passes once through a million characters of %s', (_, text) => {
    // What goes through it once for each character would take hours.
    expect(createRedactor().redact(text)).not.toBe('');
  });
});

describe('which secrets are remembered', () => {
  test('the newest, and permanently those configured by the user', () => {
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

  test("new session ids in each answer do not displace the server's token", () => {
    const redactor = createRedactor();
    redactor.add('the-access-token');
    for (let n = 0; n < 5_000; n++) redactor.add(`session-${n}-${'x'.repeat(1_000)}`, 'session');
    expect(redactor.redact('the-access-token session-4999-')).toBe('[redacted] session-4999-');
    expect(redactor.redact(`session-4999-${'x'.repeat(1_000)}`)).toBe('[redacted]');
  });

  test('finds a secret of a megabyte', () => {
    const redactor = createRedactor();
    redactor.add('0123456789abcdef'.repeat(64 * 1024));
    expect(redactor.redact(`x ${'0123456789abcdef'.repeat(100)} y`)).toBe('x [redacted] y');
  });
});
