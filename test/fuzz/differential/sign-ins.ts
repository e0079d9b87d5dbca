import { auth as authOfSdk2 } from '@modelcontextprotocol/client';
import { auth as authOfSdk1 } from '@modelcontextprotocol/sdk/client/auth.js';
import * as oauth from 'oauth4webapi';
import { discover } from '../../../src/auth/discovery/discover.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { toldFetch } from '../../peers/net/told-http.ts';
import { type DocumentCase, type Library, type Outcome, SERVER } from './case.ts';

const REDIRECT = 'http://127.0.0.1:4711/callback';
const CODE = 'code-1';

/** What a server would answer at this address, over whatever wire. */
function told({ resource, authorization }: DocumentCase, url: URL) {
  if (url.pathname.includes('/oauth-protected-resource')) return { status: 200, body: resource };
  // At the server's own origin there is no authorization server that says so.
  const isAsked =
    url.pathname.includes('/oauth-authorization-server') && url.origin !== new URL(SERVER).origin;
  return isAsked ? { status: 200, body: authorization } : { status: 404, body: '{}' };
}

/** Where the browser and then the code would be sent, and for which resource. */
function accepted(authorize: URL, token: URL, resource: string | undefined): Outcome {
  const place = ({ protocol, host, pathname, username, hash }: URL) =>
    `${protocol}//${username}${host}${pathname}${hash}`;
  return { kind: 'accepted', values: { authorize: place(authorize), token: place(token), resource } };
}

function refused(error: unknown): Outcome {
  if (!(error instanceof Error)) return { kind: 'refused', why: String(error) };
  const code = 'code' in error ? String(error.code) : error.name;
  return { kind: 'refused', why: `${code}: ${error.message}` };
}

export async function ourSignIn(given: DocumentCase): Promise<Outcome> {
  const server = new URL(SERVER);
  const fetch = toldFetch(server, ({ url }) => told(given, url));
  try {
    const { metadata, resource } = await discover({ server, challenge: {}, fetch, settings: oauthDefaults });
    return accepted(new URL(metadata.authorizationEndpoint ?? ''), new URL(metadata.tokenEndpoint), resource);
  } catch (error) {
    // Anything else is a fault of ours, and no refusal.
    if (!(error instanceof DrawbridgeError)) throw error;
    return refused(error);
  }
}

/** An SDK's client, as an application has it: one leg to the browser, one with the code. */
async function sdkSignIn(auth: typeof authOfSdk2 | typeof authOfSdk1, given: DocumentCase): Promise<Outcome> {
  let opened: URL | undefined;
  let posted: URL | undefined;
  let discovered: unknown;
  const fetchFn = async (input: string | URL, init?: RequestInit) => {
    const url = new URL(input);
    if (init?.method === 'POST') posted = url;
    const answer =
      init?.method === 'POST'
        ? { status: 200, body: '{"access_token":"a","token_type":"Bearer"}' }
        : told(given, url);
    return new Response(answer.body, {
      status: answer.status,
      headers: { 'content-type': 'application/json' },
    });
  };
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: { redirect_uris: [REDIRECT] },
    // Stamped for whoever asks: which client goes to which server is not what is compared.
    clientInformation: (context?: { readonly issuer: string }) => ({ client_id: 'client-1', ...context }),
    saveClientInformation: () => {},
    tokens: () => undefined,
    saveTokens: () => {},
    codeVerifier: () => 'v'.repeat(43),
    saveCodeVerifier: () => {},
    discoveryState: () => discovered as undefined,
    saveDiscoveryState: (state: unknown) => {
      discovered = state;
    },
    redirectToAuthorization: (url: URL) => {
      opened = url;
    },
  };
  try {
    await auth(provider, { serverUrl: SERVER, fetchFn });
    // As RFC 9207 has it: the server names itself where it promised to.
    const iss = issuerIn(given.authorization);
    const back = {
      serverUrl: SERVER,
      fetchFn,
      authorizationCode: CODE,
      ...(iss === undefined ? {} : { iss }),
    };
    await auth(provider, back);
  } catch (error) {
    return refused(error);
  }
  if (opened === undefined || posted === undefined) throw new Error('the SDK took neither way');
  return accepted(opened, posted, opened.searchParams.get('resource') ?? undefined);
}

function issuerIn(text: string): string | undefined {
  try {
    const { issuer }: { issuer?: unknown } = JSON.parse(text);
    return typeof issuer === 'string' ? issuer : undefined;
  } catch {
    return undefined;
  }
}

/** oauth4webapi, used as its examples use it: whatever it leaves to the application is not checked. */
async function strictSignIn(given: DocumentCase): Promise<Outcome> {
  let posted: URL | undefined;
  const customFetch = async (input: string, init: { readonly method: string }) => {
    const url = new URL(input);
    if (init.method === 'POST') posted = url;
    const answer = told(given, url);
    return new Response(answer.body, {
      status: answer.status,
      headers: { 'content-type': 'application/json' },
    });
  };
  const options = { [oauth.customFetch]: customFetch };
  try {
    const server = new URL(SERVER);
    const resource = await oauth.processResourceDiscoveryResponse(
      server,
      await oauth.resourceDiscoveryRequest(server, options),
    );
    const issuer = new URL(resource.authorization_servers?.[0] ?? '');
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const authorize = new URL(as.authorization_endpoint ?? '');
    const client = { client_id: 'client-1' };
    const answer = new URLSearchParams({ code: CODE, state: 's', iss: as.issuer });
    const checked = oauth.validateAuthResponse(as, client, answer, 's');
    await oauth.authorizationCodeGrantRequest(
      as,
      client,
      oauth.None(),
      checked,
      REDIRECT,
      'v'.repeat(43),
      options,
    );
    if (posted === undefined) throw new Error('nothing was posted');
    return accepted(authorize, posted, resource.resource);
  } catch (error) {
    return refused(error);
  }
}

export const SIGN_INS: Readonly<Record<Library, (given: DocumentCase) => Promise<Outcome>>> = {
  'sdk 1': (given) => sdkSignIn(authOfSdk1, given),
  'sdk 2': (given) => sdkSignIn(authOfSdk2, given),
  oauth4webapi: strictSignIn,
};
