import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { HOST_ERAS, type HostEra, TextHost } from '../../peers/hosts/text-host.ts';
import {
  SERVER_KINDS,
  type ServerKind,
  TextMcpServer,
  wellAnswered,
} from '../../peers/mcp-servers/bare/text-mcp-server.ts';

/** Two that are one number to JavaScript, spellings of one value, and strings that look like numbers. */
const ODD_IDS = [
  '9007199254740992',
  '9007199254740993',
  '12345678901234567890123',
  '1',
  '1.0',
  '1e0',
  '100',
  '1e2',
  '0',
  '-0',
  '0.1',
  '1E400',
  '"1"',
  '"1.0"',
  '"9007199254740993"',
  '""',
  '"\\u0061"',
  '"a\\/b"',
  '"\\ud800"',
  '"__proto__"',
  '"id"',
  '"\\"id\\":5}"',
  '"é😀"',
];

const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
const number = fc
  .tuple(fc.boolean(), digits, fc.option(digits), fc.option(fc.integer({ min: -400, max: 400 })))
  .map(([minus, whole, fraction, exponent]) => {
    const integer = whole.join('').replace(/^0+(?=\d)/, '');
    const rest = `${fraction === null ? '' : `.${fraction.join('')}`}${exponent === null ? '' : `e${exponent}`}`;
    return `${minus ? '-' : ''}${integer}${rest}`;
  });
const ids = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(...ODD_IDS),
    number,
    fc.string().map((text) => JSON.stringify(text)),
  ),
  {
    minLength: 1,
    maxLength: 6,
    // Two spellings of one string are one id, and a host does not use it twice.
    selector: (id) => (id.startsWith('"') ? JSON.stringify(JSON.parse(id)) : id),
  },
);

const CELLS = HOST_ERAS.flatMap((era) => SERVER_KINDS.map((kind): [HostEra, ServerKind] => [era, kind]));

async function connect(era: HostEra, kind: ServerKind) {
  const server = await TextMcpServer.start(kind);
  const bridge = await composeBridge(server.url);
  const host = new TextHost(bridge.read(), era);
  return {
    server,
    bridge,
    host,
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.each(CELLS)('a %s host with a server of kind %s', (era, kind) => {
  it('answers each id as the host wrote it, with the response to that id', async () => {
    await using cell = await connect(era, kind);
    const { server, bridge, host } = cell;
    await host.open();
    await fc.assert(
      fc.asyncProperty(ids, async (asked) => {
        const from = bridge.received.entries.length;
        server.held = { method: 'tools/call', count: asked.length };
        for (const id of asked) host.send(id, 'tools/call', '"name":"id"');
        for (const id of asked) {
          expect(await host.answer(id, from)).toContain(`"text":${JSON.stringify(id)}`);
        }
        expect(bridge.received.entries.length - from).toBe(asked.length);
      }),
      { numRuns: 30, seed: 8 },
    );
  });

  it("accepts a number that the server writes differently, and answers with the host's text", async () => {
    await using cell = await connect(era, kind);
    const { server, host } = cell;
    await host.open();
    server.answer = (request) =>
      request.method === 'tools/call'
        ? [wellAnswered({ ...request, id: '1.0' }, server.isModern)]
        : undefined;
    expect(await host.request('1', 'tools/call', '"name":"id"')).toContain('"text":"1.0"');
    server.answer = (request) =>
      request.method === 'tools/call'
        ? [wellAnswered({ ...request, id: '"\\u0061b"' }, server.isModern)]
        : undefined;
    expect(await host.request('"a\\u0062"', 'tools/call', '"name":"id"')).toContain('"content"');
  });

  it.each(['8', '"7"', '9007199254740992', 'null'])(
    'accepts no response under another id: %s',
    async (other) => {
      await using cell = await connect(era, kind);
      const { server, host } = cell;
      await host.open();
      server.answer = (request) =>
        request.method === 'tools/call' && !request.text.includes('"good"')
          ? [wellAnswered({ ...request, id: other }, server.isModern)]
          : undefined;
      const asked = other.length > 4 ? '9007199254740993' : '7';
      host.send(asked, 'tools/call', '"name":"bad"');
      if (kind !== 'sse') expect(await host.answer(asked)).toContain('"error"');
      else await server.messages.waitFor(({ id }) => id === asked);
      expect(await host.request('"next"', 'tools/call', '"name":"good"')).toContain('"content"');
      expect(host.answersTo(asked).filter((line) => line.includes('"content"'))).toEqual([]);
    },
  );

  it.each(ODD_IDS)('cancels %s and no other', async (id) => {
    await using cell = await connect(era, kind);
    const { server, host, bridge } = cell;
    await host.open();
    // On a busy machine the stand-in answers `server/discover`, with an error.
    const from = bridge.received.entries.length;
    server.held = { method: 'tools/call', count: 3 };
    const other = id === '"other"' ? '"x"' : '9007199254740994';
    host.send(id, 'tools/call', '"name":"id"');
    host.send(other, 'tools/call', '"name":"id"');
    await server.messages.until(() => server.messages.count(({ method }) => method === 'tools/call') === 2);
    host.notify('notifications/cancelled', `"requestId":${id},"reason":"because"`);
    if (server.isModern) await server.dropped.waitFor((method) => method === 'tools/call');
    else {
      const told = await server.messages.waitFor(({ method }) => method === 'notifications/cancelled');
      expect(told.text).toContain(`"requestId":${id}`);
    }
    host.send('"third"', 'tools/call', '"name":"id"');
    expect(await host.answer(other)).toContain('"content"');
    await host.answer('"third"');
    expect(bridge.received.entries.slice(from).filter(({ line }) => line.includes('"error"'))).toEqual([]);
  });
});

describe.each(SERVER_KINDS.filter((kind) => !kind.startsWith('modern')))(
  'requests of a server of kind %s',
  (kind) => {
    it.each(HOST_ERAS)('get responses under their own text, from a %s host or in its name', async (era) => {
      await using cell = await connect(era, kind);
      const { server, host, bridge } = cell;
      await host.open();
      await host.request('1', 'tools/call', '"name":"id"');
      for (const id of ODD_IDS) {
        const isRefused = ({ text }: { text: string }) =>
          text.includes('"error"') && text.includes(`"id":${id},`);
        const seen = server.messages.entries.length;
        server.push(`{"jsonrpc":"2.0","id":${id},"method":"sampling/createMessage","params":{}}`);
        await server.messages.waitFor(isRefused, { from: seen, what: `the refusal of ${id}` });
        server.push(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
        if (era === 'legacy') {
          await bridge.received.waitFor(({ line }) => line.includes(`"id":${id},"method":"ping"`));
          bridge.send(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
        }
        await server.messages.waitFor(({ text }) => text === `{"jsonrpc":"2.0","id":${id},"result":{}}`, {
          from: seen,
        });
      }
    });

    it.each(ODD_IDS)('carry an input request %s through a modern host and back', async (id) => {
      await using cell = await connect('modern', kind);
      const { server, host } = cell;
      await host.open();
      server.held = { method: 'tools/call', count: 2 };
      host.send(id, 'tools/call', '"name":"id"');
      await server.messages.waitFor(({ method }) => method === 'tools/call');
      server.push(`{"jsonrpc":"2.0","id":${id},"method":"elicitation/create","params":{"message":"?"}}`);
      const { result } = JSON.parse(await host.answer(id));
      expect(result.resultType).toBe('input_required');
      const state = `"requestState":${JSON.stringify(result.requestState)}`;
      host.send(
        '"again"',
        'tools/call',
        `"name":"id",${state},"inputResponses":{"input":{"action":"accept"}}`,
      );
      await server.messages.waitFor(
        ({ text }) => text === `{"jsonrpc":"2.0","id":${id},"result":{"action":"accept"}}`,
      );
      host.send('"other"', 'tools/call', '"name":"id"');
      expect(await host.answer('"again"')).toContain(`"text":${JSON.stringify(id)}`);
    });

    it('send a modern host progress under its token, and changes under the id of its subscription', async () => {
      await using cell = await connect('modern', kind);
      const { server, host, bridge } = cell;
      await host.open();
      for (const id of ODD_IDS) {
        const from = bridge.received.entries.length;
        host.send(id, 'subscriptions/listen', '"notifications":{"toolsListChanged":true}');
        const mark = `"io.modelcontextprotocol/subscriptionId":${id}}`;
        const marked = (method: string) =>
          bridge.received.waitFor(({ line }) => line.includes(method) && line.includes(mark), { from });
        await marked('"notifications/subscriptions/acknowledged"');
        server.push('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}');
        await marked('"notifications/tools/list_changed"');
        const seen = server.messages.entries.length;
        server.held = { method: 'tools/call', count: 2 };
        host.send('"call"', 'tools/call', '"name":"id"', `"progressToken":${id}`);
        await server.messages.waitFor(({ method }) => method === 'tools/call', { from: seen });
        const progress = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"progress":1}}`;
        server.push(progress);
        await bridge.received.waitFor(({ line }) => line === progress, { from });
        host.send('"other"', 'tools/call', '"name":"id"');
        await host.answer('"call"', from);
        await host.answer('"other"', from);
        host.notify('notifications/cancelled', `"requestId":${id}`);
      }
    });
  },
);
