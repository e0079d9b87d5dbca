import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { type EverythingServer, startEverything } from '../../peers/mcp-servers/everything.ts';
import { Journal } from '../../peers/net/journal.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

describe.each(['streamableHttp', 'sse'] as const)('server-everything over %s', (transport) => {
  let server: EverythingServer;
  let home: TemporaryHome;
  let host: Host;
  const seen = new Journal<{ kind: string; params: unknown }>();

  beforeAll(async () => {
    server = await startEverything(transport);
    home = await createTemporaryHome();
    host = await startHost([server.url], {
      env: home.env({ BROWSER: '/bin/false' }),
      capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } },
      prepare: (client) => {
        client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => {
          seen.add({ kind: 'sampling', params });
          return { model: 'test', role: 'assistant', content: { type: 'text', text: 'sampled here' } };
        });
        client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
          seen.add({ kind: 'elicitation', params });
          return { action: 'accept', content: { name: 'Ada', check: true } };
        });
        client.setRequestHandler(ListRootsRequestSchema, async () => {
          seen.add({ kind: 'roots', params: undefined });
          return { roots: [{ uri: 'file:///work', name: 'work' }] };
        });
        client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) =>
          seen.add({ kind: 'log', params }),
        );
        client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
          seen.add({ kind: 'updated', params }),
        );
      },
    });
  });

  afterAll(async () => {
    await host.close();
    await server[Symbol.asyncDispose]();
    await home.close();
  });

  const text = (result: unknown) => JSON.stringify(result);

  it('lists and calls tools', async () => {
    const { tools } = await host.client.listTools();
    expect(tools.length).toBeGreaterThan(10);
    expect(text(await host.client.callTool({ name: 'echo', arguments: { message: 'héllo 😀' } }))).toContain(
      'héllo 😀',
    );
    expect(text(await host.client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } }))).toContain('5');
    const structured = await host.client.callTool({
      name: 'get-structured-content',
      arguments: { location: 'New York' },
    });
    expect(structured.structuredContent).toBeDefined();
    expect(text(await host.client.callTool({ name: 'get-tiny-image', arguments: {} }))).toContain(
      'image/png',
    );
  });

  it('gets and completes prompts', async () => {
    const { prompts } = await host.client.listPrompts();
    expect(prompts.length).toBeGreaterThan(2);
    const prompt = prompts.find(({ arguments: args }) => (args ?? []).length === 0);
    expect((await host.client.getPrompt({ name: prompt?.name ?? '' })).messages.length).toBeGreaterThan(0);
    const completable = prompts.find(({ name }) => name.includes('complet'));
    const [argument] = completable?.arguments ?? [];
    const completion = await host.client.complete({
      ref: { type: 'ref/prompt', name: completable?.name ?? '' },
      argument: { name: argument?.name ?? '', value: '' },
    });
    expect(completion.completion.values.length).toBeGreaterThan(0);
  });

  it('lists, reads and subscribes to resources', async () => {
    const { resources } = await host.client.listResources();
    const { resourceTemplates } = await host.client.listResourceTemplates();
    expect(resourceTemplates.length).toBeGreaterThan(0);
    const uri = resources[0]?.uri ?? '';
    expect((await host.client.readResource({ uri })).contents.length).toBeGreaterThan(0);
    await host.client.subscribeResource({ uri });
    await host.client.callTool({ name: 'toggle-subscriber-updates', arguments: {} });
    const updated = await seen.waitFor(({ kind }) => kind === 'updated', { timeoutMs: 20_000 });
    expect(text(updated.params)).toContain(uri);
    await host.client.callTool({ name: 'toggle-subscriber-updates', arguments: {} });
    await host.client.unsubscribeResource({ uri });
  });

  it('reports progress of a long call, each step before the answer', async () => {
    // On the wire: the SDK's client forgets a progress token with the answer, so it drops a step that comes in the same read.
    await using raw = startRawHost([server.url], { env: home.env({ BROWSER: '/bin/false' }) });
    await raw.initialize();
    const answer = await raw.request('tools/call', {
      name: 'trigger-long-running-operation',
      arguments: { duration: 1, steps: 4 },
      _meta: { progressToken: 'steps' },
    });
    const messages = raw.lines.entries.map(({ message }) => message);
    const before = messages.slice(0, messages.indexOf(answer));
    const steps = before.flatMap((message) =>
      message?.method === 'notifications/progress' ? [(message.params as { progress: number }).progress] : [],
    );
    expect(steps).toEqual([1, 2, 3, 4]);
  });

  it('sends sampling, elicitation and roots requests to the host', async () => {
    const sampled = await host.client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'hi', maxTokens: 10 },
    });
    expect(text(sampled)).toContain('sampled here');
    await host.client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
    await host.client.callTool({ name: 'get-roots-list', arguments: {} });
    const asked = seen.entries.map(({ kind }) => kind);
    for (const kind of ['sampling', 'elicitation', 'roots']) expect(asked).toContain(kind);
  });

  it('sets the level and receives log messages', async () => {
    await host.client.setLoggingLevel('debug');
    await host.client.callTool({ name: 'toggle-simulated-logging', arguments: {} });
    await seen.waitFor(({ kind }) => kind === 'log', { timeoutMs: 20_000 });
    await host.client.callTool({ name: 'toggle-simulated-logging', arguments: {} });
  });

  it('prints nothing unnecessary on stderr', () => {
    expect(host.stderr).toBe('');
    expect(host.errors.entries).toEqual([]);
  });
});
