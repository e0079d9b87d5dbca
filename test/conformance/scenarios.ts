import { setTimeout as delay } from 'node:timers/promises';
import type { ConformanceHost, Result } from './hosts.ts';

/** More than the bridge takes for its first GET on a busy machine. */
const FIRST_STREAM_MS = 500;

/** What the runner tells of a scenario besides its address (`MCP_CONFORMANCE_CONTEXT`). */
export type Context = { readonly [name: string]: unknown };

type Script = (host: ConformanceHost, context: Context) => Promise<unknown>;

const call = (host: ConformanceHost, name: string, args: object = {}) =>
  host.request('tools/call', { name, arguments: args });

async function callEach(host: ConformanceHost, names: readonly string[]): Promise<void> {
  await host.request('tools/list');
  for (const name of names) await call(host, name);
}

const entries = (result: Result, field: string) => result[field] as { readonly [name: string]: string }[];

/** What the person at the host does in each scenario; where nothing is said, the tools are listed. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  tools_call: async (host) => {
    await host.request('tools/list');
    await call(host, 'add_numbers', { a: 5, b: 3 });
  },
  'elicitation-sep1034-client-defaults': (host) => callEach(host, ['test_client_elicitation_defaults']),
  'sse-retry': async (host) => {
    await host.request('tools/list');
    // The scenario takes the last GET for the reconnection: the bridge's first one, for messages of the server, must not come beside the call.
    await delay(FIRST_STREAM_MS);
    await call(host, 'test_reconnection');
  },
  'sep-2322-client-request-state': (host) =>
    callEach(host, [
      'test_mrtr_echo_state',
      'test_mrtr_unrelated',
      'test_mrtr_no_state',
      'test_mrtr_no_result_type',
    ]),
  'http-standard-headers': async (host) => {
    await callEach(host, ['test_headers', 'my-hyphenated-tool']);
    for (const { uri } of entries(await host.request('resources/list'), 'resources')) {
      await host.request('resources/read', { uri });
    }
    for (const { name } of entries(await host.request('prompts/list'), 'prompts')) {
      await host.request('prompts/get', { name });
    }
  },
  'http-custom-headers': async (host, { toolCalls }) => {
    await host.request('tools/list');
    for (const params of toolCalls as { readonly [name: string]: unknown }[]) {
      await host.request('tools/call', params);
    }
  },
  'http-invalid-tool-headers': async (host) => {
    const tools = entries(await host.request('tools/list'), 'tools');
    for (const { name } of tools) await call(host, name as string);
  },
  'json-schema-2020-12-preservation': async (host) => {
    const tools = (await host.request('tools/list')).tools as { name: string; inputSchema: object }[];
    const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
    await call(host, 'json_schema_echo', { schema });
  },
};

export async function play(scenario: string, host: ConformanceHost, context: Context): Promise<void> {
  await host.connect();
  if (scenario.startsWith('auth/')) await callEach(host, ['test-tool']);
  else await (SCRIPTS[scenario] ?? (() => host.request('tools/list')))(host, context);
}

/** Text that a scenario hands out → the path of a file that holds it. */
type WriteFile = (name: string, text: string) => string;

/** The grants of the extensions, by the scenario's name. */
const GRANT_FLAGS: Readonly<Record<string, (context: Context, write: WriteFile) => readonly string[]>> = {
  // The document that the scenario takes for its client's; a client can have one only where somebody publishes it.
  'auth/basic-cimd': () => ['--client-metadata-url', 'https://conformance-test.local/client-metadata.json'],
  'auth/client-credentials-basic': () => ['--grant', 'client_credentials'],
  'auth/client-credentials-jwt': (context, write) => [
    '--grant',
    'client_credentials',
    '--client-key',
    write('key.pem', String(context.private_key_pem)),
    '--client-key-alg',
    String(context.signing_algorithm),
  ],
  'auth/wif-jwt-bearer': (context, write) => [
    '--grant',
    'jwt-bearer',
    '--assertion-file',
    write('assertion', String(context.valid_jwt)),
  ],
  'auth/enterprise-managed-authorization': (context, write) => [
    '--grant',
    'enterprise',
    '--id-token-file',
    write('id-token', String(context.idp_id_token)),
    '--idp-client-id',
    String(context.idp_client_id),
    '--idp-token-endpoint',
    String(context.idp_token_endpoint),
  ],
};

/** What of a scenario's context goes into the command line of the program. */
export function flagsFor(scenario: string, context: Context, write: WriteFile): readonly string[] {
  const clientId = context.client_id;
  const grant = GRANT_FLAGS[scenario]?.(context, write) ?? [];
  return typeof clientId === 'string' ? ['--client-id', clientId, ...grant] : grant;
}
