import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Ways in which a test passes without having shown anything, or fails because the machine is busy. */
const RULES: readonly { readonly rule: string; readonly offends: RegExp }[] = [
  { rule: 'a test is not tried again until it passes', offends: /\bretry:\s*\d/ },
  {
    rule: 'no test is left out or runs alone',
    offends: /\b(?:test|it|describe)\.(?:skip|only|todo|fails)\b/,
  },
  {
    rule: 'a test is skipped only by what test/peers/processes/tools.ts says, which fails on a build server',
    offends:
      /\.(?:skipIf|runIf)\((?!!(?:isLinux\(\)|isPosix\(\)|hasRoot\(\)|hasNetworkNamespaces\(\)|hasProcessNamespaces\(\)|hasVirtualDesktop\(\)|hasRedis\(\)|hasHostNames\(\)|hasDesktopKeyring\(\)|hasPass\(\)|canLook)\))/,
  },
  {
    rule: 'how long something takes is for the bench and the storm to judge',
    offends:
      /(?:performance|Date)\.now\(\) - \w+\)\.toBeLess|\b(?:\w+\.)?(?:tookMs|atMs|afterMs)[^;\n]*\)\.toBeLess/,
  },
];

const root = new URL('..', import.meta.url);
const files = ['unit', 'integration', 'process'].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && name !== 'test-rules.test.ts')
    .map((name) => `${folder}/${name}`),
);

test('finds tests to check', () => {
  expect(files.length).toBeGreaterThan(100);
});

test.each(RULES)('$rule', ({ offends }) => {
  const offenders = files.flatMap((file) =>
    readFileSync(new URL(file, root), 'utf8')
      .split('\n')
      .flatMap((line, at) => (offends.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  );
  expect(offenders).toEqual([]);
});

test.each([
  ["it('x', { retry: 2 }, async () => {", 0],
  ["test.only('x', () => {});", 1],
  ["describe.skipIf(process.platform !== 'linux')('x', () => {", 2],
  ['expect(performance.now() - startedAt).toBeLessThan(100);', 3],
  ["expect(end.kind === 'served' && end.tookMs).toBeLessThan(5_000);", 3],
])('%s is an offence', (line, rule) => {
  expect(RULES.map(({ offends }) => offends.test(line))).toEqual(RULES.map((_, at) => at === rule));
});
