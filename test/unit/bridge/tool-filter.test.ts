import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolFilter } from '../../../src/bridge/tools/tool-filter.ts';
import { matches, refusalOfTool, type ToolRules } from '../../../src/bridge/tools/tool-rules.ts';

const rules = (some: Partial<ToolRules>): ToolRules => ({ allow: [], deny: [], readOnly: false, ...some });
const readOnly = (hint: unknown) => ({ annotations: { readOnlyHint: hint } });

describe('a pattern', () => {
  it.each([
    ['echo', 'echo', true],
    ['echo', 'echo2', false],
    ['Echo', 'eCHO', true],
    ['delete*', 'deleteAll', true],
    ['delete*', 'undelete', false],
    ['*account', 'getAccount', true],
    ['*a*b*', 'xaxbx', true],
    ['*a*b*', 'xbxax', false],
    ['aa*aa', 'aaa', false],
    ['a*b*b', 'ab', false],
    ['*', '', true],
    ['a.c', 'abc', false],
    ['(', '(', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('means the same as the regular expression with .* for each *', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', 'A', '.'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        const escaped = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
        expect(matches(pattern, name)).toBe(new RegExp(`^${escaped.join('.*')}$`, 'i').test(name));
      }),
    );
  });
});

describe('the rules', () => {
  it('denies before it allows, and names the pattern', () => {
    const both = rules({ allow: ['*'], deny: ['delete*'] });
    expect(refusalOfTool(both, 'deleteAll', undefined)).toContain('--deny-tool "delete*"');
    expect(refusalOfTool(both, 'get', undefined)).toBeUndefined();
  });

  it('allows all tools without an allow pattern', () => {
    expect(refusalOfTool(rules({ allow: ['get*'] }), 'set', undefined)).toContain('--allow-tool');
    expect(refusalOfTool(rules({}), 'set', undefined)).toBeUndefined();
  });

  it.each([[false], [undefined], ['true'], [1]])('treats only true as read-only, not %s', (hint) => {
    expect(refusalOfTool(rules({ readOnly: true }), 'x', readOnly(hint))).toContain(
      'not marked as read-only',
    );
    expect(refusalOfTool(rules({ readOnly: true }), 'x', readOnly(true))).toBeUndefined();
  });
});

describe('the filter', () => {
  it('keeps all bytes but those of the hidden tools', () => {
    const filter = new ToolFilter(rules({ deny: ['b'] }));
    const [before, a, c, after] = [
      '{ "result" : { "n":12345678901234567890, "tools" :',
      '{ "name":"a",  "x":1.0 }',
      '{"name":"\\u0063","big":98765432109876543210}',
      ',"nextCursor":"\\u00e9" } ,\t"id":1.0,"jsonrpc":"2.0"}',
    ];
    const text = `${before} [ ${a} , {"name":"b"},${c} ]${after}`;
    expect(filter.answer(text)).toBe(`${before}[${a},${c}]${after}`);
    expect(filter.answer(Buffer.from(text))).toBe(`${before}[${a},${c}]${after}`);
  });

  it('returns the same bytes if nothing is hidden or there is no list', () => {
    const filter = new ToolFilter(rules({ deny: ['b'] }));
    for (const text of [
      '{"result":{"tools":[{"name":"a"}]},"id":1}',
      '{"result":{},"id":1}',
      '{"result":{"tools":{"name":"b"}},"id":1}',
      '{"result":null,"id":1}',
      '{"error":{"code":1,"message":"b"},"id":1}',
    ]) {
      const bytes = Buffer.from(text);
      expect(filter.answer(bytes)).toBe(bytes);
    }
  });

  it('hides tools without a name', () => {
    const filter = new ToolFilter(rules({ deny: ['b'] }));
    expect(filter.answer('{"result":{"tools":[1,{},{"name":7},{"name":"a"}]}}')).toBe(
      '{"result":{"tools":[{"name":"a"}]}}',
    );
  });

  it('shows exactly the tools of a list that may be called', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '[', '}', ','), maxLength: 4 });
    const tool = fc.record({
      name,
      description: fc.string(),
      annotations: fc.option(fc.record({ readOnlyHint: fc.boolean() }), { nil: null }),
    });
    const some = fc.record({
      allow: fc.array(
        name.map((text) => `${text}*`),
        { maxLength: 2 },
      ),
      deny: fc.array(name, { maxLength: 2 }),
      readOnly: fc.boolean(),
    });
    const rest = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        some,
        fc.uniqueArray(tool, { selector: (each) => each.name }),
        rest,
        (given, tools, others) => {
          const filter = new ToolFilter(given);
          const answer = { ...others, result: { ...others, tools } };
          const shown = JSON.parse(filter.answer(JSON.stringify(answer)) as string);
          const callable = tools.filter(
            (each) => filter.refusal('tools/call', { name: each.name }) === undefined,
          );
          expect(shown).toEqual(
            JSON.parse(JSON.stringify({ ...answer, result: { ...others, tools: callable } })),
          );
          expect(filter.result({ ...others, tools })).toEqual({ ...others, tools: callable });
        },
      ),
    );
  });

  it('refuses a call whose name is not a string, and only calls', () => {
    const filter = new ToolFilter(rules({ deny: ['b'] }));
    expect(filter.refusal('tools/call', { name: ['b'] })).toContain('a name that is a string');
    expect(filter.refusal('tools/call', undefined)).toContain('needs a name');
    expect(filter.refusal('prompts/get', { name: 'b' })).toBeUndefined();
  });

  it('with --read-only, refuses a call of an unlisted tool', () => {
    const filter = new ToolFilter(rules({ readOnly: true }));
    expect(filter.refusal('tools/call', { name: 'a' })).toContain('has not been listed');
    filter.answer('{"result":{"tools":[{"name":"a","annotations":{"readOnlyHint":true}}]}}');
    expect(filter.refusal('tools/call', { name: 'a' })).toBeUndefined();
    filter.answer('{"result":{"tools":[{"name":"a"}]}}');
    expect(filter.refusal('tools/call', { name: 'a' })).toContain('not marked');
  });
});
