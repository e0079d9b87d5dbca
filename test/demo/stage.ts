import {
  type SdkAuthorizationServer,
  startSdkAuthorizationServer,
} from '../peers/authorization-servers/sdk-authorization-server.ts';
import { type PeerMcpServer, startMcpServer } from '../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../peers/processes/home.ts';

/** The two servers of the demo, and a home folder in which nobody has signed in yet. */
export interface Stage extends AsyncDisposable {
  readonly authority: SdkAuthorizationServer;
  readonly server: PeerMcpServer;
  readonly home: TemporaryHome;
}

export async function createStage(accessTokenTtlSeconds: number): Promise<Stage> {
  const scopes = ['mcp:tools'];
  const home = await createTemporaryHome();
  const authority = await startSdkAuthorizationServer({
    consent: 'page',
    accessTokenTtlSeconds,
    scopesSupported: scopes,
  });
  const server = await startMcpServer({ authority, requiredScopes: scopes, scopesSupported: scopes });
  return {
    authority,
    server,
    home,
    [Symbol.asyncDispose]: async () => {
      await home.close();
      await server.close();
      await authority.close();
    },
  };
}
