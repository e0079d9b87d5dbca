import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseSignInStatus } from '../../../src/store/lease/sign-in-status.ts';
import { portableRecord, readPortable, writePortable } from '../../../src/store/record/portable.ts';
import { parseRecord, serializeRecord } from '../../../src/store/record/record-schema.ts';
import { parseCachedServer } from '../../../src/store/server-cache/file.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { property } from '../property.ts';
import { hostileText, jsonText, objectText, oneOfJson } from '../texts.ts';
import { assertShowable } from './failures.ts';

/** Longer than any address that is kept, shorter than a token may be. */
const LONG = `https://${'x'.repeat(9 * 1024)}`;

/** Each member as it is in the example, some of them changed. */
const likeExample = (example: object) =>
  Object.fromEntries(
    Object.entries(example).map(([name, value]) => [
      name,
      fc.oneof(
        { arbitrary: oneOfJson(value), weight: 40 },
        {
          arbitrary: fc.oneof(hostileText, fc.constant(LONG)).map((text) => JSON.stringify(text)),
          weight: 1,
        },
      ),
    ]),
  );

const recordText = objectText({
  ...likeExample(wholeRecord),
  tokens: objectText(likeExample(wholeRecord.tokens ?? {})),
  client: objectText(likeExample(wholeRecord.client ?? {})),
});
const portableText = objectText({
  ...likeExample(JSON.parse(writePortable(wholeRecord))),
  expires_in: oneOfJson(3600, 0, 9e12, 4e12),
});
const face = {
  phase: 'pending',
  nonce: 'n',
  pid: 7,
  startedAt: 1,
  deadline: 2,
  address: 'https://as.example/',
  error: { code: 'x', message: 'y' },
};

export const RECORDS = [
  property(
    'a record file is a record that is written again as it was read, or set aside',
    recordText,
    (text) => {
      const read = parseRecord(Buffer.from(text));
      if (read.kind !== 'record') return;
      const { tokens } = read.record;
      assert.match([tokens?.accessToken, tokens?.refreshToken, tokens?.idToken].join(), /^[\x20-\x7e]*$/);
      assert.deepEqual(parseRecord(serializeRecord(read.record)), {
        kind: 'record',
        record: plain(read.record),
      });
    },
    'dear',
  ),
  property(
    'an imported credential can be kept, or is refused in words that quote nothing of it',
    portableText,
    (text) => {
      const read = readPortable(text);
      if (read.kind === 'unusable') return assertShowable(read.reason);
      const target = {
        server: 'https://mcp.example/mcp',
        profile: 'default',
        resource: undefined,
        now: 1_800_000_000_000,
      };
      const record = { ...portableRecord(read.credential, target), version: 1 as const, revision: 1 };
      assert.deepEqual(parseRecord(serializeRecord(record)), { kind: 'record', record: plain(record) });
    },
    'dear',
  ),
  property(
    'what was remembered of a server, and how a sign-in goes, are read whole or not at all',
    fc.oneof(
      objectText(likeExample(face)),
      objectText({
        version: oneOfJson(1),
        savedAt: oneOfJson(5),
        initialize: jsonText,
        lists: jsonText,
        era: oneOfJson('modern'),
      }),
    ),
    (text) => {
      const bytes = Buffer.from(text);
      const shown = parseSignInStatus(bytes);
      if (shown !== undefined) assert.ok(['starting', 'pending', 'failed', 'done'].includes(shown.phase));
      const remembered = parseCachedServer(bytes);
      for (const list of Object.values(remembered?.lists ?? {}))
        assert.ok(typeof list === 'object' && list !== null);
    },
    'dear',
  ),
];

/** As JSON has it, which knows no -0. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
