import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNEXPECTED_ERROR } from '../../../src/platform/log/unexpected-error.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { HOST_ERAS, type HostEra, TextHost } from '../../peers/hosts/text-host.ts';
import {
  SERVER_KINDS,
  type ServerKind,
  TextMcpServer,
  type TextMessage,
  wellAnswered,
} from '../../peers/mcp-servers/bare/text-mcp-server.ts';

type Request = TextMessage & { readonly id: string };
/** What comes in place of a well-made answer. */
type Odd = (request: Request, well: string) => string;

const deep = (open: string, close: string, depth = 100_000) => open.repeat(depth) + close.repeat(depth);
const DEEP = [deep('[', ']'), `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`];

/** What a value in an answer may be instead of what belongs there. */
const oddValue = fc.oneof(
  fc.constantFrom('null', '5', '"x"', 'true', '[]', '{}', '[null]', '{"__proto__":{"a":1}}', ...DEEP),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);
const RESULT_MEMBERS = [
  'capabilities',
  'serverInfo',
  'instructions',
  'protocolVersion',
  'supportedVersions',
  'resultType',
  'tools',
  'nextCursor',
  'content',
  'structuredContent',
  '_meta',
  'inputRequests',
  'requestState',
  'ttlMs',
] as const;

const odd = fc.oneof(
  fc
    .constantFrom(
      '',
      'nonsense',
      '<h1>',
      '{',
      'null',
      '5',
      '"x"',
      '[]',
      '[1]',
      '[[]]',
      '{}',
      '{"jsonrpc":"2.0"}',
      ...DEEP,
    )
    .map(
      (text): Odd =>
        () =>
          text,
    ),
  fc.double({ min: 0, max: 1, noNaN: true }).map(
    (part): Odd =>
      (_, well) =>
        well.slice(0, Math.floor(well.length * part)),
  ),
  oddValue.map(
    (value): Odd =>
      ({ id }) =>
        `{"jsonrpc":"2.0","id":${id},"result":${value}}`,
  ),
  oddValue.map(
    (value): Odd =>
      ({ id }) =>
        `{"jsonrpc":"2.0","id":${id},"error":${value}}`,
  ),
  oddValue.map(
    (value): Odd =>
      ({ id }) =>
        `{"jsonrpc":"2.0","id":${id},"error":{"code":-32000,"message":"no","data":${value}}}`,
  ),
  oddValue.map(
    (value): Odd =>
      ({ id }) =>
        `{"jsonrpc":"2.0","id":${id},"error":{"code":${value},"message":${value}}}`,
  ),
  oddValue.map(
    (value): Odd =>
      (_, well) =>
        well.replace(/"id":("[^"]*"|[^,]+)/, `"id":${value}`),
  ),
  fc.tuple(fc.constantFrom(...RESULT_MEMBERS), oddValue).map(
    ([name, value]): Odd =>
      (_, well) => {
        // Of a name that comes twice the last counts.
        return well.replace(/\}\}$/, `,"${name}":${value}}}`);
      },
  ),
  fc.tuple(fc.constantFrom('"completed"', '"input_required"'), oddValue).map(
    ([type, value]): Odd =>
      ({ id }) => {
        return `{"jsonrpc":"2.0","id":${id},"result":{"resultType":${type},"inputRequests":{"a":${value}},"requestState":${value}}}`;
      },
  ),
);

const CELLS = HOST_ERAS.flatMap((era) => SERVER_KINDS.map((kind): [HostEra, ServerKind] => [era, kind]));

const isOpening = ({ method }: Request) => method === 'initialize' || method === 'server/discover';

/** One bridge for each input: what goes wrong shall not be hidden by what went before. */
async function withCell(
  era: HostEra,
  kind: ServerKind,
  run: (cell: { readonly server: TextMcpServer; readonly host: TextHost }) => Promise<void>,
): Promise<void> {
  await using server = await TextMcpServer.start(kind);
  const bridge = await composeBridge(server.url);
  await using _bridge = bridge.read();
  const host = new TextHost(bridge, era);
  // Rejects when an error ends the bridge; otherwise it runs on until the cell is closed.
  await Promise.race([run({ server, host }), bridge.done.then(() => expect.fail('the bridge ended'))]);
  // What the server says is no error of the program.
  expect(bridge.received.count(({ line }) => line.includes(UNEXPECTED_ERROR))).toBe(0);
}

describe.each(CELLS)('a %s host with a server of kind %s', (era, kind) => {
  it('gets one response to a call, whatever the server sends, and the next call is served', async () => {
    const methods = fc.constantFrom('tools/call', 'tools/list', 'resources/read');
    await fc.assert(
      fc.asyncProperty(methods, odd, (method, oddly) =>
        withCell(era, kind, async ({ server, host }) => {
          await host.open();
          let times = 0;
          server.answer = (request) =>
            request.method === method && times++ === 0
              ? [
                  oddly(request, wellAnswered(request, server.isModern)),
                  ...(kind === 'sse' ? [`{"jsonrpc":"2.0","id":${request.id},"result":{}}`] : []),
                ]
              : undefined;
          await host.request('"first"', method, '"name":"id","uri":"x://y"');
          expect(await host.request('"next"', 'tools/call', '"name":"id"')).toContain('"content"');
          expect(host.answersTo('"first"').length).toBe(1);
        }),
      ),
      { numRuns: 40, seed: 2 },
    );
  });

  it('gets one response to what opens the session, and a later attempt is served', async () => {
    await fc.assert(
      fc.asyncProperty(odd, fc.constantFrom('initialize', 'server/discover'), (oddly, method) =>
        withCell(era, kind, async ({ server, host }) => {
          let times = 0;
          server.answer = (request) =>
            request.method === method && times++ === 0
              ? [
                  oddly(request, wellAnswered(request, server.isModern)),
                  ...(kind === 'sse' ? [wellAnswered(request, false)] : []),
                ]
              : undefined;
          const opened = await host.open('"open"');
          if (era === 'legacy' && !opened.includes('"result":')) await host.open('"again"');
          let answer = await host.request('"call"', 'tools/call', '"name":"id"');
          if (!answer.includes('"content"'))
            answer = await host.request('"call2"', 'tools/call', '"name":"id"');
          expect(answer).toContain('"content"');
          expect(host.answersTo('"open"').length).toBe(1);
        }),
      ),
      { numRuns: 40, seed: 2 },
    );
  });

  it('receives what came before the response to initialize, and nothing that is not a message', async () => {
    await withCell(era, kind, async ({ server, host }) => {
      const isStream = kind === 'sse' || kind.endsWith('stream');
      server.answer = (request) =>
        isOpening(request) &&
        isStream &&
        request.method !== undefined &&
        !(server.isModern && request.method === 'initialize')
          ? [
              'event: ping\ndata: {}\n\n',
              '{}',
              'nonsense',
              '{"jsonrpc":"2.0","id":"p","method":"ping"}',
              wellAnswered(request, server.isModern),
            ]
          : undefined;
      expect(await host.open()).toContain('"result":');
      expect(await host.request('"call"', 'tools/call', '"name":"id"')).toContain('"content"');
    });
  });
});

describe('a host whose own message is deeply nested', () => {
  it.each(CELLS)('gets a response: a %s host with a server of kind %s', async (era, kind) => {
    for (const value of DEEP) {
      await withCell(era, kind, async ({ server, host }) => {
        const params = `"protocolVersion":"2025-11-25","capabilities":{"x":${value}},"clientInfo":{}`;
        const opens = era === 'legacy' ? 'initialize' : 'server/discover';
        server.answer = ({ method, id }) =>
          method === 'tools/call' &&
          server.isModern &&
          !server.messages.entries.some((seen) => seen.method === 'tools/list')
            ? [`{"jsonrpc":"2.0","id":${id},"error":{"code":-32020,"message":"Header mismatch"}}`]
            : undefined;
        await host.request('"deep"', opens, params, `"x":${value}`);
        await host.open();
        await host.request('"call"', 'tools/call', `"name":${value}`, `"x":${value}`);
        server.answer = () => undefined;
        expect(await host.request('"next"', 'tools/call', '"name":"id"')).toContain('"content"');
      });
    }
  });
});

describe.each(HOST_ERAS)('a %s host whose call is refused for its headers', (era) => {
  it.each(['error', 'nonsense', 'wrong id', 'deep'])(
    'causes one read of the list of tools, up to a page that is %s',
    async (what) => {
      await withCell(era, 'modern-json', async ({ server, host }) => {
        await host.open();
        let pages = 0;
        server.answer = (request) => {
          const { id, method, text } = request;
          if (method === 'tools/call' && pages === 0) {
            return [`{"jsonrpc":"2.0","id":${id},"error":{"code":-32020,"message":"Header mismatch"}}`];
          }
          if (method !== 'tools/list') return undefined;
          pages++;
          if (!text.includes('"cursor"')) {
            return [wellAnswered(request, true).replace(/\}\}$/, ',"nextCursor":"2"}}')];
          }
          const other = what === 'wrong id' ? '"nobody"' : id;
          if (what === 'nonsense') return ['nonsense'];
          if (what === 'deep') return [wellAnswered(request, true).replace(/\}\}$/, `,"a":${DEEP[0]}}}`)];
          return [`{"jsonrpc":"2.0","id":${other},"error":{"code":-32603,"message":"no page"}}`];
        };
        expect(await host.request('"call"', 'tools/call', '"name":"id"')).toContain('"content"');
        expect(pages).toBe(2);
      });
    },
  );
});
