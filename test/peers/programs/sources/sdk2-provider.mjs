import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { openLogin } from 'mcp-drawbridge';
import { ASKING, once, serve } from './serve.mjs';

const url = new URL(process.env.MCP_URL);
const login = await openLogin(url, ASKING);
const client = new Client({ name: 'sdk2-provider', version: '1.0.0' });
const connected = once(() => client.connect(new StreamableHTTPClientTransport(url, { authProvider: login })));

await serve({
  call: async (value) => {
    await connected();
    return await client.callTool({ name: 'echo', arguments: { value } });
  },
  close: async () => {
    await client.close();
    await login.close();
  },
});
