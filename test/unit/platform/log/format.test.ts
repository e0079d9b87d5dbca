import { expect, test } from 'vitest';
import { jsonLine, type LogEntry, textLine } from '../../../../src/platform/log/format.ts';

const entry = (level: LogEntry['level'], text: string, fields: LogEntry['fields'] = {}): LogEntry => ({
  time: Date.UTC(2026, 6, 28, 12),
  level,
  text,
  fields,
});

test('text for a person', () => {
  expect(textLine(entry('tell', 'To sign in, open:\n  https://a/?b=c'))).toBe(
    'mcp-drawbridge: To sign in, open:\n  https://a/?b=c\n',
  );
  expect(
    textLine(entry('warn', 'no debug log', { error: 'disk full, sorry', status: 0, id: undefined })),
  ).toBe('mcp-drawbridge: warning: no debug log (error="disk full, sorry", status=0)\n');
  expect(textLine(entry('debug', 'request', { address: 'https://a/?b=c', detail: null }))).toBe(
    'mcp-drawbridge: 2026-07-28T12:00:00.000Z debug: request (address=https://a/?b=c, detail=null)\n',
  );
});

test('JSON lines', () => {
  expect(JSON.parse(jsonLine(entry('warn', 'x', { count: 3 })))).toEqual({
    time: '2026-07-28T12:00:00.000Z',
    level: 'warn',
    event: 'x',
    count: 3,
  });
  expect(JSON.parse(jsonLine(entry('tell', 'a\nb')))).toMatchObject({ level: 'tell', message: 'a\nb' });
});

const CONTROLS = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u;
const HOSTILE = 'a\u001b]0;t\u0007\r\nb\u009b31mc\u202ed\u2028e\u200bf\ud800';
test.each(['tell', 'warn', 'debug'] as const)(
  '%s: contains no terminal control sequence (SECURITY.md, attack 24)',
  (level) => {
    const fields = [{ error: HOSTILE }, { error: `in quotes: ${HOSTILE}` }];
    const entries = [entry(level, HOSTILE), ...fields.map((each) => entry(level, 'x', each))];
    for (const line of entries.flatMap((each) => [textLine(each), jsonLine(each)])) {
      expect(line.replaceAll('\n', '')).not.toMatch(CONTROLS);
      expect(line.trimEnd().includes('\n')).toBe(
        level === 'tell' && line === textLine(entries[0] as LogEntry),
      );
    }
  },
);
