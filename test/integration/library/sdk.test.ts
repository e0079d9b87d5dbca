import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
  OAuthError,
  SSEClientTransport as Sse2,
  UnauthorizedError as Unauthorized2,
} from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as oauthErrors from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { describe, expect, it } from 'vitest';
import { ScopeRefusedError } from '../../../src/auth/errors/errors.ts';
import type { LoginOptions } from '../../../src/library/interface/login-options.ts';
import {
  authorizedTransport,
  errorKind,
  openLogin,
  SignInNeededError,
  toSdkError,
} from '../../../src/library/library.ts';
import { LibraryWorld } from '../../peers/worlds/library-world.ts';

const SDK1 = { StreamableHTTPClientTransport, SSEClientTransport };
const SDK2 = { StreamableHTTPClientTransport: Http2, SSEClientTransport: Sse2 };
const info = { name: 'program', version: '1' };

/** A client of either SDK, which calls the tool of the server and ends. */
const sdks = {
  'SDK 1.x': async (world: LibraryWorld, run: (call: () => Promise<unknown>) => Promise<void>) => {
    const client = new Client(info);
    await client.connect(authorizedTransport(world.url, SDK1, world.options()));
    await run(() => client.callTool({ name: 'echo', arguments: {} }));
    await client.close();
  },
  'SDK 2.x': async (world: LibraryWorld, run: (call: () => Promise<unknown>) => Promise<void>) => {
    const client = new Client2(info);
    await client.connect(authorizedTransport(world.url, SDK2, world.options()));
    await run(() => client.callTool({ name: 'echo', arguments: {} }));
    await client.close();
  },
};

describe('authorizedTransport', () => {
  it.each([
    ['SDK 1.x', 'Streamable HTTP', {}],
    ['SDK 1.x', 'HTTP+SSE, which is found', { sse: true }],
    ['SDK 2.x', 'Streamable HTTP', {}],
    ['SDK 2.x', 'HTTP+SSE, which is found', { sse: true }],
  ] as const)('%s, %s: calls a tool, before and after the token is revoked', async (sdk, _, habits) => {
    await using world = await LibraryWorld.create(habits);
    await world.signIn();
    await sdks[sdk](world, async (call) => {
      for (let at = 0; at < 2; at++) {
        expect(await call()).toMatchObject({ content: [{ type: 'text', text: 'called' }] });
        world.vendor.forgetAccessTokens();
      }
    });
    expect(world.vendor.tokenForms.map((form) => form.get('grant_type'))).toEqual(['refresh_token']);
  });

  it('rejects with the address if a sign-in is needed', async () => {
    await using world = await LibraryWorld.create();
    const client = new Client(info);
    const connecting = client.connect(authorizedTransport(world.url, SDK1, world.options()));
    await expect(connecting).rejects.toMatchObject({ code: 'sign_in_needed' });
  });
});

describe('the provider', () => {
  async function connect(world: LibraryWorld, options: LoginOptions = {}) {
    const login = await openLogin(world.url, world.options(options));
    const client = new Client(info);
    const authProvider = login.asOAuthClientProvider();
    const transport = new StreamableHTTPClientTransport(new URL(world.url), { authProvider });
    return {
      client,
      transport,
      authProvider,
      connected: client.connect(transport),
      [Symbol.asyncDispose]: async () => {
        await client.close();
        await login.close();
      },
    };
  }

  it('keeps the refresh token from the SDK 1.x, and after a 401 gives it another token without an SDK request', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn();
    await using program = await connect(world);
    await program.connected;
    expect(Object.keys((await program.authProvider.tokens()) ?? {})).toEqual(['access_token', 'token_type']);
    for (let at = 2; at < 5; at++) {
      world.vendor.forgetAccessTokens();
      await program.client.listTools();
      expect(world.vendor.issued.map(({ accessToken }) => accessToken)).toEqual([`access-${at}`]);
    }
    expect(world.vendor.tokenForms.map((form) => form.get('grant_type'))).toEqual(
      Array(3).fill('refresh_token'),
    );
    expect(world.vendor.to('/register')).toEqual([]);
  });

  it("causes the SDK's UnauthorizedError if a sign-in is needed, and works after it", async () => {
    await using world = await LibraryWorld.create();
    await using program = await connect(world);
    await expect(program.connected).rejects.toBeInstanceOf(UnauthorizedError);
    expect(world.vendor.to('/register')).toEqual([]);
    await world.signIn();
    await using again = await connect(world);
    await again.connected;
    expect((await again.client.listTools()).tools).toHaveLength(1);
  });
});

describe('errors', () => {
  const needed = new SignInNeededError('sign in', { address: 'https://as.example' });
  const scope = new ScopeRefusedError('more scope');

  it('have a kind, and differ from errors of others', () => {
    expect([needed, scope, new Error('other')].map(errorKind)).toEqual([
      'sign_in_needed',
      'refused',
      undefined,
    ]);
  });

  it('become errors of the SDK 1.x', () => {
    const sdk = { ...oauthErrors, UnauthorizedError };
    expect(toSdkError(needed, sdk)).toBeInstanceOf(UnauthorizedError);
    expect(toSdkError(scope, sdk)).toBeInstanceOf(oauthErrors.InsufficientScopeError);
    expect(toSdkError(scope, sdk)).toMatchObject({ message: 'more scope', cause: scope });
    expect(toSdkError(scope, { UnauthorizedError })).toBe(scope);
  });

  it('become errors of the SDK 2.x', () => {
    const sdk = { UnauthorizedError: Unauthorized2, OAuthError };
    expect(toSdkError(needed, sdk)).toBeInstanceOf(Unauthorized2);
    expect(toSdkError(scope, sdk)).toMatchObject({ code: 'insufficient_scope' });
    expect(toSdkError(scope, sdk)).toBeInstanceOf(OAuthError);
  });
});
