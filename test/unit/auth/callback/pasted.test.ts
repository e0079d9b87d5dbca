import { expect, test } from 'vitest';
import { pastedQuery } from '../../../../src/auth/callback/pasted.ts';

test.each<[string, string, string | undefined]>([
  ['an address', 'http://127.0.0.1:4711/callback?code=c&state=s\n', 'code=c&state=s'],
  ['in quotes', '"http://127.0.0.1:4711/callback?code=c&state=s"', 'code=c&state=s'],
  [
    'without its beginning',
    '127.0.0.1:4711/callback?state=s&error=access_denied',
    'state=s&error=access_denied',
  ],
  ['the query alone', 'code=c&state=s', 'code=c&state=s'],
  ['with a fragment', 'http://localhost:1/cb?state=s&code=c#_=_', 'state=s&code=c'],
  ['nothing', '  ', undefined],
  ['a sentence', 'what do I paste here?', undefined],
  ['an address of something else', 'https://example.com/?q=state', undefined],
  ['a book', `?state=s&code=${'x'.repeat(20_000)}`, undefined],
])('%s', (_, line, query) => {
  expect(pastedQuery(line)).toBe(query);
});
