import type { ServerResponse } from 'node:http';

/** A protected resource and its authorization server in one, as far as a sign-in gets without a person. */
export function wellKnown(origin: string, path: string, response: ServerResponse): void {
  const document = documentAt(origin, path);
  if (document === undefined) return void response.writeHead(404).end();
  const status = path === '/register' ? 201 : 200;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

function documentAt(origin: string, path: string): object | undefined {
  if (path.startsWith('/.well-known/oauth-protected-resource')) {
    return { resource: `${origin}/mcp`, authorization_servers: [origin] };
  }
  if (path === '/.well-known/oauth-authorization-server') {
    return {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    };
  }
  if (path === '/register') return { client_id: 'odd', redirect_uris: ['http://127.0.0.1/callback'] };
  return undefined;
}
