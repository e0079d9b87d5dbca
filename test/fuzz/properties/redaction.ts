import assert from 'node:assert/strict';
import fc from 'fast-check';
import { quote } from '../../../src/protocol/quote.ts';
import { createRedactor } from '../../../src/redaction/redactor.ts';
import { WINDOW_CHARACTERS } from '../../../src/redaction/secret-windows.ts';
import { keepSecret } from '../../../src/redaction/secrets.ts';
import { ESCAPINGS, escapedAs } from '../../peers/worlds/threats/spellings.ts';
import { type Property, property } from '../property.ts';
import { asCharacter, hostileText } from '../texts.ts';

/** What a header or a form takes, and some of what only a form does. */
const secret = fc
  .string({
    unit: fc.oneof(
      { arbitrary: fc.integer({ min: 0x21, max: 0x7e }).map(asCharacter), weight: 20 },
      {
        arbitrary: fc.constantFrom('/', '"', '\\', '&', '<', '+', '%', ' ', '=', 'é', '世', '🎉'),
        weight: 5,
      },
    ),
    minLength: 8,
    maxLength: 120,
  })
  // What is looked for is all of it: `Bearer x` is also looked for without its first word.
  .map((text) => `s${text}t`)
  .filter((text) => !/^\w+ +\S+$/.test(text));
const escapings = fc.array(fc.constantFrom(...Object.keys(ESCAPINGS)), { maxLength: 3 });
/** Nothing that an escape could begin or end with. */
const surrounding = fc.string({ unit: fc.constantFrom('g', 'h', ' ', '?', ':', '\n'), maxLength: 400 });

export const REDACTION: readonly Property[] = [
  property(
    'a secret goes whole, however it is escaped, and the text around it stays',
    fc.tuple(secret, escapings, surrounding, surrounding),
    ([text, kinds, before, after]) => {
      const redactor = createRedactor();
      redactor.add(text);
      const clean = redactor.redactRegistered(`${before}|${escapedAs(text, kinds)}|${after}`);
      assert.equal(clean, `${before}|[redacted]|${after}`);
    },
  ),
  property(
    'whatever stands around it',
    fc.tuple(secret, hostileText, hostileText),
    ([text, before, after]) => {
      const redactor = createRedactor();
      redactor.add(text);
      assert.ok(!redactor.redact(`${before}${text}${after}`).includes(text));
    },
  ),
  property(
    'a limit within a secret leaves nothing of it',
    fc.tuple(secret, fc.option(fc.constantFrom(...Object.keys(ESCAPINGS))), surrounding, fc.nat(1_000)),
    ([text, kind, before, cut]) => {
      const redactor = createRedactor();
      redactor.add(text);
      const spelling = escapedAs(text, kind === null ? [] : [kind]);
      const limit = before.length + (cut % (spelling.length + 1));
      const clean = redactor.redactRegistered(`${before}${spelling} after`, limit);
      assert.equal(clean, limit === before.length ? before : `${before}[redacted]`);
    },
  ),
  property(
    'a text that was cut before leaves less than a window',
    fc.tuple(secret, fc.nat(120), fc.nat(120)),
    ([text, start, end]) => {
      const redactor = createRedactor();
      redactor.add(text);
      const clean = redactor.redactRegistered(text.slice(start, end)).replaceAll('[redacted]', '');
      assert.ok(clean.length < WINDOW_CHARACTERS || !text.includes(clean));
    },
  ),
  property(
    'what is quoted of a server holds no part of a secret, wherever the quotation ends',
    fc.tuple(
      secret,
      fc.constantFrom('', ...Object.keys(ESCAPINGS)),
      fc.nat(220),
      fc.constantFrom('x', ' ', '\u200b'),
    ),
    ([text, kind, count, filling]) => {
      keepSecret(text);
      for (const length of [count, 4_000 - count]) {
        const said = quote(`${filling.repeat(length)} ${escapedAs(text, kind === '' ? [] : [kind])}`);
        const [, rest = ''] = /^"x* ?(.*?)…?"$/.exec(said) ?? [undefined, said];
        // The filling may itself be a secret, of another property.
        assert.ok('[redacted]'.startsWith(rest.replaceAll('[redacted] ', '')), said);
      }
    },
    'dear',
  ),
  property(
    'nothing throws',
    fc.tuple(fc.array(hostileText), hostileText, fc.nat(2_000)),
    ([secrets, text, limit]) => {
      const redactor = createRedactor();
      for (const each of secrets) redactor.add(each);
      redactor.redact(text, limit);
      redactor.redactForPerson(text);
    },
  ),
];
