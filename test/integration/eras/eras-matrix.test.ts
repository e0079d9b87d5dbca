import type { Client as ModernClient } from '@modelcontextprotocol/client';
import type { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectLegacy, connectModern } from '../../peers/hosts/bridge-stdio.ts';
import { type ComposedBridge, composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { ModernMcpServer } from '../../peers/mcp-servers/modern-mcp-server.ts';
import { SdkSseServer } from '../../peers/mcp-servers/sdk-sse-server.ts';
import { Journal } from '../../peers/net/journal.ts';

/** What a host sees, whichever SDK it is made of. */
interface Host {
  readonly seen: Journal<{ readonly method: string; readonly params: unknown }>;
  readonly server: () => unknown;
  tools(): Promise<string[]>;
  call(
    name: string,
    args: object,
    onProgress?: (progress: number) => void,
    signal?: AbortSignal,
  ): Promise<string>;
  read(uri: string): Promise<string>;
  prompt(): Promise<string>;
  close(): Promise<void>;
}

type Content = { readonly content: readonly { readonly text?: string }[] };
const textOf = (result: unknown) => (result as Content).content[0]?.text ?? '';

/** What the person answers, by the field that is asked for. */
const PERSON = { name: 'Ada', place: 'Łódź' };
const answer = (params: unknown) => {
  const [field = ''] = Object.keys(Object(Object(params).requestedSchema).properties);
  return { action: 'accept' as const, content: { [field]: Object(PERSON)[field] as string } };
};

async function hostOfSdk1(bridge: ComposedBridge): Promise<Host & { readonly client: LegacyClient }> {
  const seen = new Journal<{ readonly method: string; readonly params: unknown }>();
  const client = await connectLegacy(bridge, (raw) => {
    raw.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params));
    for (const schema of [
      ResourceUpdatedNotificationSchema,
      ToolListChangedNotificationSchema,
      LoggingMessageNotificationSchema,
    ]) {
      raw.setNotificationHandler(schema, ({ method, params }) => seen.add({ method, params }));
    }
  });
  return {
    client,
    seen,
    server: () => client.getServerVersion(),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, onProgress, signal) =>
      textOf(
        await client.callTool({ name, arguments: { ...args } }, undefined, {
          ...(onProgress === undefined ? {} : { onprogress: ({ progress }) => onProgress(progress) }),
          ...(signal === undefined ? {} : { signal }),
        }),
      ),
    read: async (uri) => String(Object((await client.readResource({ uri })).contents[0]).text),
    prompt: async () =>
      Object((await client.getPrompt({ name: 'greet', arguments: { place: 'Porto' } })).messages[0]?.content)
        .text,
    close: () => client.close(),
  };
}

async function hostOfSdk2(bridge: ComposedBridge): Promise<Host & { readonly client: ModernClient }> {
  const seen = new Journal<{ readonly method: string; readonly params: unknown }>();
  const client = await connectModern(bridge, (raw) => {
    raw.setRequestHandler('elicitation/create', ({ params }) => answer(params));
    for (const method of [
      'notifications/resources/updated',
      'notifications/tools/list_changed',
      'notifications/message',
    ] as const) {
      raw.setNotificationHandler(method, (notification) => seen.add(notification as never));
    }
  });
  return {
    client,
    seen,
    server: () => client.getServerVersion(),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, onProgress, signal) =>
      textOf(
        await client.callTool(
          { name, arguments: { ...args } },
          {
            ...(onProgress === undefined
              ? {}
              : { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }),
            ...(signal === undefined ? {} : { signal }),
          },
        ),
      ),
    read: async (uri) => String(Object((await client.readResource({ uri })).contents[0]).text),
    prompt: async () =>
      Object((await client.getPrompt({ name: 'greet', arguments: { place: 'Porto' } })).messages[0]?.content)
        .text,
    close: () => client.close(),
  };
}

interface Server extends AsyncDisposable {
  readonly url: string;
  readonly calls: ModernMcpServer['calls'];
}

const SERVERS: Record<string, { start: () => Promise<Server>; name: string; era: 'legacy' | 'modern' }> = {
  'HTTP+SSE 2024-11-05': { start: () => SdkSseServer.start(), name: 'peer', era: 'legacy' },
  'Streamable HTTP 2025-11-25, event streams': {
    start: () => startMcpServer({}),
    name: 'peer',
    era: 'legacy',
  },
  'Streamable HTTP 2025-11-25, JSON': {
    start: () => startMcpServer({ json: true }),
    name: 'peer',
    era: 'legacy',
  },
  'Streamable HTTP 2026-07-28': {
    start: () => ModernMcpServer.start(),
    name: 'modern-peer',
    era: 'modern',
  },
  'Streamable HTTP 2026-07-28, event streams': {
    start: () => ModernMcpServer.start({ responseMode: 'sse' }),
    name: 'modern-peer',
    era: 'modern',
  },
};
const HOSTS = { 'a host of 2025': hostOfSdk1, 'a host of 2026': hostOfSdk2 };

/** What is loaded when it is first wanted is loaded before the time of a test begins: on a busy machine the stand-in would answer. */
beforeAll(async () => {
  for (const { start } of Object.values(SERVERS)) {
    await using server = await start();
    for (const connect of Object.values(HOSTS)) {
      const bridge = await composeBridge(server.url);
      await using _bridge = bridge;
      await connect(bridge).catch(() => {});
    }
  }
});

for (const [hostName, connect] of Object.entries(HOSTS)) {
  describe(hostName, () => {
    describe.each(Object.entries(SERVERS))('with %s', (_, { start, name, era }) => {
      it('lists, calls, reads, elicits, cancels', async () => {
        await using server = await start();
        const bridge = await composeBridge(server.url);
        await using _bridge = bridge;
        const host = await connect(bridge);
        expect(host.server()).toMatchObject({ name });
        expect(bridge.erasFound.at(-1)).toBe(era);
        expect(await host.tools()).toContain('echo');
        expect(await host.call('echo', { value: 'é\u2028😀' })).toBe(JSON.stringify('é\u2028😀'));
        expect(await host.read('note://one')).toBe('first note');
        expect(await host.prompt()).toBe('Hello, Porto');
        const elicits = era === 'modern' ? host.call('ask', {}) : host.call('elicit', { message: 'Who?' });
        expect(await elicits).toContain('Ada');
        const stop = new AbortController();
        const slow = host.call('slow', { name: 'a' }, undefined, stop.signal);
        await server.calls.started('a');
        stop.abort('enough');
        await expect(slow).rejects.toThrow();
        await server.calls.cancelled('a');
        expect(await host.call('echo', { value: 1 })).toBe('1');
        await host.close();
      });

      it('receives progress', async () => {
        await using server = await start();
        const bridge = await composeBridge(server.url);
        await using _bridge = bridge;
        const host = await connect(bridge);
        const steps: number[] = [];
        const progress = (step: number) => void steps.push(step);
        expect(await host.call('progress', { steps: 3 }, progress)).toBe('3 steps');
        // With JSON replies a legacy server has no stream on which the progress of a call could come.
        if (!_.endsWith('JSON')) expect(steps).toEqual([1, 2, 3]);
        await host.close();
      });
    });
  });
}
