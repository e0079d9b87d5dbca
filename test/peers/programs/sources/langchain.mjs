import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { openLogin } from 'mcp-drawbridge';
import { ASKING, once, serve } from './serve.mjs';

const url = process.env.MCP_URL;
const login = await openLogin(url, ASKING);
// The adapters take no fetch: the provider gives them tokens, and a person's sign-in is the login's own.
const client = new MultiServerMCPClient({
  mcpServers: { example: { transport: 'http', url, authProvider: login.asOAuthClientProvider() } },
});
const connected = once(async () => {
  await login.signIn();
  return await client.getTools();
});

// One call after the other: with a provider, the SDK 1.x fails a request that is refused while it deals with the refusal of another.
let last = Promise.resolve();

await serve({
  call: (value) => {
    const result = last.then(async () => {
      const tools = await connected();
      return await tools.find(({ name }) => name === 'echo').invoke({ value });
    });
    last = result.catch(() => undefined);
    return result;
  },
  close: async () => {
    await client.close();
    await login.close();
  },
});
