import { expect, test } from 'vitest';
import { quoteAddress, shownAddress } from '../../../src/protocol/quote.ts';

test.each([
  ['https://a.example/mcp', 'https://a.example/mcp'],
  ['https://a.example/mcp?', 'https://a.example/mcp'],
  ['https://a.example/mcp?api_key=abc', 'https://a.example/mcp?api_key=…'],
  ['https://a.example/mcp?a=b=c&d=%26&a=', 'https://a.example/mcp?a=…&d=…&a=…'],
  ['https://a.example/mcp?abcdef', 'https://a.example/mcp?…'],
  ['https://a.example/mcp?abc?d=e', 'https://a.example/mcp?abc?d=…'],
  ['no address?key=abc', 'no address?key=…'],
])('%s: shows the names in its query, not the values', (address, shown) => {
  expect(shownAddress(address)).toBe(shown);
});

test('cannot close its own quotation marks', () => {
  expect(quoteAddress(new URL('https://a.example/"?x=y'))).toBe('"https://a.example/%22?x=…"');
});
