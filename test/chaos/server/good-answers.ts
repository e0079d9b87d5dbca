import type { Era } from '../scenario.ts';

const LEGACY = '2025-11-25';
export const MODERN = '2026-07-28';
const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
  completions: {},
};
const SERVER = { name: 'odd-server', version: '1.0.0' };
const TOOLS = ['echo', 'ask'].map((name) => ({ name, inputSchema: { type: 'object' } }));

// biome-ignore lint/suspicious/noExplicitAny: the parameters of whatever request it is.
type Params = any;

/** What a well-behaved server of this era answers, apart from the tools. */
export function goodResult(era: Era, method: string, params: Params): unknown {
  const result = plainResult(method, params);
  if (era === 'legacy') return result;
  const cached = /^(server\/discover|.*\/list|resources\/read)$/.test(method)
    ? { ttlMs: 0, cacheScope: 'private' }
    : {};
  return { resultType: 'complete', ...cached, ...result };
}

function plainResult(method: string, params: Params): object {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: LEGACY,
        capabilities: CAPABILITIES,
        serverInfo: SERVER,
        instructions: 'Be odd.',
      };
    case 'server/discover':
      return { supportedVersions: [MODERN], capabilities: CAPABILITIES, instructions: 'Be odd.' };
    case 'tools/list':
      return { tools: TOOLS };
    case 'prompts/list':
      return { prompts: [{ name: 'greet' }] };
    case 'resources/list':
      return { resources: [{ uri: 'odd://one', name: 'one' }] };
    case 'resources/templates/list':
      return { resourceTemplates: [] };
    case 'resources/read':
      return { contents: [{ uri: params?.uri ?? 'odd://one', text: 'one' }] };
    case 'prompts/get':
      return { messages: [] };
    case 'completion/complete':
      return { completion: { values: [] } };
    case 'tools/call':
      return { content: [{ type: 'text', text: String(params?.arguments?.nonce) }] };
    default:
      return {};
  }
}

/** What a modern server answers to a call for which it needs something of the host. */
export function inputRequired(nonce: string): unknown {
  const params = { mode: 'form', message: 'Who?', requestedSchema: { type: 'object', properties: {} } };
  return {
    resultType: 'input_required',
    inputRequests: { who: { method: 'elicitation/create', params } },
    requestState: `state of ${nonce} \u00e9"\\`,
  };
}

const deep = '['.repeat(100_000) + ']'.repeat(100_000);
const initializeResult = (members: string) => `{"protocolVersion":"2025-11-25","capabilities":{},${members}}`;
const discovery = (members: string) =>
  `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},${members}}`;

/** Results of a wrong shape, as text, by the method that they are for. */
const ODD_RESULTS: Readonly<Record<string, readonly string[]>> = {
  initialize: [
    '{}',
    '{"capabilities":{},"serverInfo":{"name":"x","version":"1"}}',
    '{"protocolVersion":7,"capabilities":{},"serverInfo":{}}',
    '{"protocolVersion":"2026-07-28","capabilities":{},"serverInfo":{}}',
    '{"protocolVersion":"1999-01-01","capabilities":{},"serverInfo":{}}',
    '{"protocolVersion":"2025-11-25\\r\\nx: y","capabilities":{},"serverInfo":{}}',
    '{"protocolVersion":"2025-11-25\\u00fc\\ud83d","capabilities":{}}',
    '{"protocolVersion":"2025-11-25","capabilities":[],"serverInfo":7}',
    '{"protocolVersion":"2025-11-25","capabilities":null,"serverInfo":null}',
    '{"protocolVersion":"2025-11-25","capabilities":"all","serverInfo":"x"}',
    '{"protocolVersion":"2025-11-25","capabilities":{"tools":null,"logging":7,"resources":[]}}',
    initializeResult(`"serverInfo":${deep}`),
    initializeResult(`"instructions":${deep}`),
    initializeResult('"serverInfo":{"name":{"a":1},"version":[]},"instructions":7'),
    `{"protocolVersion":"2025-11-25","capabilities":{"tools":${deep}}}`,
    `{"protocolVersion":"2025-11-25","capabilities":${deep}}`,
    '{"protocolVersion":"2025-11-25","capabilities":{"__proto__":{"tools":{}},"constructor":{}}}',
  ],
  'server/discover': [
    '{}',
    '{"supportedVersions":"2026-07-28","capabilities":{}}',
    '{"supportedVersions":[],"capabilities":{}}',
    '{"supportedVersions":["2099-01-01"],"capabilities":{}}',
    '{"resultType":"input_required","supportedVersions":["2026-07-28"]}',
    '{"resultType":7,"supportedVersions":["2026-07-28"],"capabilities":[]}',
    discovery('"serverInfo":7,"_meta":[]'),
    discovery(`"serverInfo":${deep}`),
    discovery(`"_meta":{"io.modelcontextprotocol/serverInfo":${deep}}`),
    discovery('"instructions":{"a":1}'),
    `{"supportedVersions":["2026-07-28"],"capabilities":{"tools":${deep}}}`,
    `{"supportedVersions":["2026-07-28",${deep}],"capabilities":${deep}}`,
  ],
  'tools/list': [
    '{}',
    '{"tools":null}',
    '{"tools":"all"}',
    '{"tools":[null,7,"x",[],{}]}',
    '{"tools":[{"name":7,"inputSchema":7}]}',
    `{"tools":[{"name":"echo","inputSchema":${deep}}]}`,
    `{"tools":${deep}}`,
    '{"tools":[{"name":"echo","inputSchema":{"type":"object","properties":{"a":{"x-mcp-header":7}}}}]}',
    '{"tools":[{"name":"echo","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"\\r\\n"}}}}]}',
    '{"tools":[{"name":"echo","outputSchema":{"type":"array"}},{"name":"echo"}]}',
    '{"tools":[],"nextCursor":"again"}',
    '{"tools":[],"nextCursor":7}',
    '{"tools":[{"name":"__proto__","inputSchema":{"properties":{"__proto__":{"x-mcp-header":"A"}}}}]}',
  ],
  'tools/call': [
    '{"resultType":"input_required"}',
    '{"resultType":"input_required","inputRequests":7,"requestState":{"a":1}}',
    '{"resultType":"input_required","inputRequests":{"a":7,"b":null,"c":[]},"requestState":"s"}',
    '{"resultType":"input_required","inputRequests":{"a":{"method":"x/unknown","params":[]}}}',
    `{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":${deep}}}}`,
    `{"resultType":"input_required","inputRequests":{"a":${deep}},"requestState":${deep}}`,
    '{"resultType":"later","content":[]}',
    '{"resultType":null}',
    '{"content":7,"structuredContent":[1],"isError":"yes"}',
    `{"content":[],"structuredContent":${deep}}`,
    `{"content":${deep}}`,
    `{"content":[],"_meta":${deep}}`,
  ],
};
const ODD_ANYWHERE = ['[]', '7', 'null', '"x"', '{"resultType":"later"}', `{"a":${deep}}`, '{"_meta":7}'];

export function oddResults(method: string): readonly string[] {
  return (
    ODD_RESULTS[method] ?? (method.endsWith('/list') ? ['{}', '{"prompts":7,"resources":7}'] : ODD_ANYWHERE)
  );
}
