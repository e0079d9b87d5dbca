import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type CallToolResult,
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import type { HeldCalls } from './mcp-calls.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export interface FeatureOptions {
  readonly calls: HeldCalls;
  /** With JSON replies a call has no stream of its own: what the server asks goes over the GET stream. */
  readonly json: boolean;
  readonly instructions?: string;
  readonly onSubscribe?: (uri: string, subscribed: boolean) => void;
}

const INFO = { name: 'peer', title: 'A server under test', version: '1.2.3' };

/** One of everything that a 2025-11-25 server can offer. */
export function createFeatures(options: FeatureOptions): McpServer {
  const server = new McpServer(INFO, {
    capabilities: {
      logging: {},
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
    },
    ...(options.instructions === undefined ? {} : { instructions: options.instructions }),
  });
  addTools(server, options);
  addQuestions(server, options);
  addPromptsAndResources(server, options);
  return server;
}

function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}

function addTools(server: McpServer, { calls }: FeatureOptions): void {
  server.registerTool(
    'echo',
    { description: 'Says the same again', inputSchema: { value: z.any() } },
    async ({ value }, extra) => ({ ...text(JSON.stringify(value)), _meta: { got: extra._meta ?? {} } }),
  );
  server.registerTool(
    'add',
    {
      description: 'Adds two numbers',
      inputSchema: { a: z.number(), b: z.number() },
      outputSchema: { sum: z.number() },
    },
    async ({ a, b }) => ({ ...text(String(a + b)), structuredContent: { sum: a + b } }),
  );
  server.registerTool(
    'slow',
    { description: 'Answers when the test says so', inputSchema: { name: z.string() } },
    async ({ name }, extra) => text(await calls.hold(name, extra.signal)),
  );
  server.registerTool(
    'progress',
    { description: 'Tells how it goes, then answers', inputSchema: { steps: z.number() } },
    async ({ steps }, extra) => {
      const progressToken = extra._meta?.progressToken;
      for (let step = 1; step <= steps && progressToken !== undefined; step++) {
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress: step, total: steps, message: `step ${step}` },
        });
      }
      return text(`${steps} steps`);
    },
  );
  server.registerTool(
    'log',
    { description: 'Sends a log message', inputSchema: { data: z.string() } },
    async ({ data }, extra) => {
      await server.sendLoggingMessage({ level: 'warning', logger: 'peer', data }, extra.sessionId);
      return text('logged');
    },
  );
  server.registerTool('fail', { description: 'Ends with an error', inputSchema: {} }, async () => ({
    ...text('it did not work'),
    isError: true,
  }));
  server.registerTool('whoami', { description: 'The token this call came with' }, async (extra) =>
    text(JSON.stringify({ clientId: extra.authInfo?.clientId, scopes: extra.authInfo?.scopes })),
  );
}

/** Tools that ask the host something. */
function addQuestions(server: McpServer, { json }: FeatureOptions): void {
  const ask = <T extends z.ZodType>(extra: Extra, request: ServerRequest, schema: T): Promise<z.output<T>> =>
    json ? server.server.request(request, schema) : extra.sendRequest(request, schema);
  server.registerTool(
    'sample',
    { description: 'Asks the host to sample', inputSchema: { prompt: z.string() } },
    async ({ prompt }, extra) => {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }];
      const params = { messages, maxTokens: 100 };
      const request: ServerRequest = { method: 'sampling/createMessage', params };
      return text(JSON.stringify(await ask(extra, request, CreateMessageResultSchema)));
    },
  );
  server.registerTool(
    'elicit',
    { description: 'Asks the person', inputSchema: { message: z.string() } },
    async ({ message }, extra) => {
      const request: ServerRequest = {
        method: 'elicitation/create',
        params: {
          mode: 'form',
          message,
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        },
      };
      return text(JSON.stringify(await ask(extra, request, ElicitResultSchema)));
    },
  );
  server.registerTool('roots', { description: "Asks for the host's roots" }, async (extra) =>
    text(JSON.stringify(await ask(extra, { method: 'roots/list' }, ListRootsResultSchema))),
  );
}

function addPromptsAndResources(server: McpServer, { onSubscribe }: FeatureOptions): void {
  const places = ['Paris', 'Prague', 'Porto', 'Łódź'];
  const completePlace = (start: string) => places.filter((place) => place.startsWith(start));
  server.registerPrompt(
    'greet',
    { description: 'A greeting', argsSchema: { place: completable(z.string(), completePlace) } },
    ({ place }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${place}` } }] }),
  );
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, text: 'first note' }],
  }));
  server.registerResource(
    'place',
    new ResourceTemplate('place://{name}', { list: undefined, complete: { name: completePlace } }),
    { mimeType: 'text/plain' },
    async (uri, { name }) => ({ contents: [{ uri: uri.href, text: `about ${name}` }] }),
  );
  server.server.setRequestHandler(SubscribeRequestSchema, async ({ params }) => {
    onSubscribe?.(params.uri, true);
    return {};
  });
  server.server.setRequestHandler(UnsubscribeRequestSchema, async ({ params }) => {
    onSubscribe?.(params.uri, false);
    return {};
  });
}
