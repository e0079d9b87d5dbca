import type { TokenClient } from './client.ts';

export interface ClientAuthentication {
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The audience of an assertion. */
export interface AssertionTarget {
  readonly issuer: string;
  /** The server's time, if it did not accept ours. Milliseconds since the epoch. */
  readonly at?: number | undefined;
}

type Method = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
const METHODS: readonly string[] = ['none', 'client_secret_basic', 'client_secret_post'];

/** How the client authenticates at the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2, RFC 7591 §2 `token_endpoint_auth_method`). */
export function authenticateClient(
  client: TokenClient,
  supported: readonly string[] | undefined,
  target?: AssertionTarget,
): ClientAuthentication {
  const { clientId, clientSecret, assertion } = client;
  const method = selectMethod(client, supported ?? []);
  if (method === 'private_key_jwt' && assertion !== undefined && target !== undefined) {
    return {
      headers: {},
      parameters: {
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        // RFC 7523bis: only the issuer; a token endpoint as audience lets another server pass the assertion on.
        client_assertion: assertion(target.issuer, target.at),
      },
    };
  }
  if (clientSecret === undefined || method === 'none')
    return { headers: {}, parameters: clientId === '' ? {} : { client_id: clientId } };
  if (method === 'client_secret_post') {
    return { headers: {}, parameters: { client_id: clientId, client_secret: clientSecret } };
  }
  const credentials = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`, 'latin1');
  return { headers: { authorization: `Basic ${credentials.toString('base64')}` }, parameters: {} };
}

/** The registered method if the server still supports it; else the strongest one that both sides support. */
export function selectMethod(client: TokenClient, supported: readonly string[]): Method {
  const registered = client.tokenEndpointAuthMethod;
  const usable = (method: string) => supported.length === 0 || supported.includes(method);
  if (registered !== undefined && METHODS.includes(registered) && usable(registered)) {
    return registered as Method;
  }
  // A key was configured on purpose, and some metadata does not list the method.
  if (client.assertion !== undefined && (client.clientSecret === undefined || usable('private_key_jwt'))) {
    return 'private_key_jwt';
  }
  if (client.clientSecret === undefined) return 'none';
  if (usable('client_secret_basic')) return 'client_secret_basic';
  if (usable('client_secret_post')) return 'client_secret_post';
  return usable('none') ? 'none' : 'client_secret_post';
}

/** RFC 6749 §2.3.1 and appendix B: form-encoded before Base64, or a `:` or `%` in a secret breaks it. */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
