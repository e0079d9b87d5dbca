import { createMCPClient } from '@ai-sdk/mcp';
import { authorizedFetch } from 'mcp-drawbridge';
import { ASKING, once, serve } from './serve.mjs';

const url = process.env.MCP_URL;
const connected = once(async () => {
  const client = await createMCPClient({
    transport: { type: 'http', url, fetch: authorizedFetch(url, ASKING) },
  });
  return { client, tools: await client.tools() };
});

await serve({
  call: async (value) => {
    const { tools } = await connected();
    return await tools.echo.execute({ value }, { toolCallId: `call-${value}`, messages: [] });
  },
  close: async () => (await connected()).client.close(),
});
