import { MCPServerStreamableHttp } from '@openai/agents-core';
import { authorizedFetch } from 'mcp-drawbridge';
import { ASKING, once, serve } from './serve.mjs';

const url = process.env.MCP_URL;
const server = new MCPServerStreamableHttp({
  url,
  fetch: authorizedFetch(url, ASKING),
  clientSessionTimeoutSeconds: 60, // as long as a person may take to sign in
});
const connected = once(() => server.connect());

await serve({
  call: async (value) => {
    await connected();
    return await server.callTool('echo', { value });
  },
  close: () => server.close(),
});
