// What the SDK's documentation suggests: an OAuthClientProvider that keeps the login in a file. The file is replaced in one piece and read before
// each request, so that each copy of this program sees what the others have stored.
import { spawn } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { serve } from './serve.mjs';

const { MCP_URL, LOGIN_FILE, BROWSER } = process.env;

class FileProvider {
  #verifier = '';

  constructor(redirectUrl) {
    this.redirectUrl = redirectUrl;
  }

  get clientMetadata() {
    return {
      client_name: 'A program',
      application_type: 'native',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  async clientInformation() {
    return (await load()).client;
  }

  saveClientInformation(client) {
    return store({ client });
  }

  async tokens() {
    return (await load()).tokens;
  }

  saveTokens(tokens) {
    return store({ tokens });
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  redirectToAuthorization(address) {
    spawn(BROWSER, [address.href], { stdio: 'ignore', detached: true }).unref();
  }

  async invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') await store({ client: undefined, tokens: undefined });
    else if (scope === 'tokens') await store({ tokens: undefined });
  }
}

async function load() {
  return JSON.parse(await readFile(LOGIN_FILE, 'utf8').catch(() => '{}'));
}

async function store(part) {
  const fresh = `${LOGIN_FILE}.${process.pid}`;
  await writeFile(fresh, JSON.stringify({ ...(await load()), ...part }), { mode: 0o600 });
  await rename(fresh, LOGIN_FILE);
}

const codes = [];
let arrived = () => undefined;
const listener = createServer((request, response) => {
  const code = new URL(request.url, 'http://127.0.0.1').searchParams.get('code');
  response.end('You can close this page.');
  if (code !== null) codes.push(code);
  arrived();
});
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));

async function nextCode() {
  while (codes.length === 0) {
    await new Promise((resolve) => {
      arrived = resolve;
    });
  }
  return codes.shift();
}

const provider = new FileProvider(`http://127.0.0.1:${listener.address().port}/callback`);

/** As the SDK's example: where it says that a person is needed, waits for the browser and does the same again. */
async function signedIn(transport, act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(await nextCode());
    return await act();
  }
}

let connection;

async function connect() {
  const client = new Client({ name: 'own-provider', version: '1.0.0' });
  const open = () => new StreamableHTTPClientTransport(new URL(MCP_URL), { authProvider: provider });
  let transport = open();
  await signedIn(transport, () => {
    transport = open();
    return client.connect(transport);
  });
  return { client, transport };
}

await serve({
  call: async (value) => {
    try {
      connection ??= await connect();
      const { client, transport } = connection;
      return await signedIn(transport, () => client.callTool({ name: 'echo', arguments: { value } }));
    } catch (error) {
      // As whoever runs such a program does: the next call begins with a new connection.
      await connection?.client.close();
      connection = undefined;
      throw error;
    }
  },
  close: async () => {
    listener.close();
    await connection?.client.close();
  },
});
