import type { LoginStore } from './store-interface.ts';
import type { Fetch } from './web-types.ts';

/** The address that a person opens to sign in. */
export interface SignInPrompt {
  /** To be opened in a browser. With a device code it may be opened on any device. */
  readonly address: string;
  /** The code to enter there (RFC 8628 §3.3), if the grant is `device_code`. It is shown even if the address contains it. */
  readonly userCode?: string;
  /** When the sign-in times out. Milliseconds since the epoch. */
  readonly deadline?: number;
}

/**
 * The options of a login. They are those of the command line, with the same names in camelCase and the same checks; `mcp-drawbridge --help all` lists
 * them. Two programs, or a program and a bridge, share a login if these are the same for both: address, `profile`, `scope`, `resource`, `noResource`,
 * `preset`, `clientId`, `clientMetadataUrl`, `grant`, `issuer`, `authorizeParam`, `useIdToken`, `dpop`, and `home`.
 *
 * The environment is read for where logins are (MCP_DRAWBRIDGE_HOME, XDG_DATA_HOME), for proxies (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), for
 * certificates (NODE_EXTRA_CA_CERTS), for CI (there is no sign-in then, unless `interactive`), and for the variables that options name. Other variables
 * of the command line (MCP_DRAWBRIDGE_…) have no effect.
 */
export interface LoginOptions {
  /** Sends requests to the MCP server in place of the library's own HTTP client: another client, or a test's. It is called with `redirect: 'manual'`.
   * The library's own honours `ca`, `cert`, `key`, `connectTimeout` and the proxies of the environment, which `fetch` of Node does not; another one has to
   * do so itself. Tokens are always obtained with the library's own. */
  readonly fetch?: Fetch;
  /** Called when a call needs a sign-in, with the address to show. May be async. If it throws, the wait ends, but not the sign-in. */
  readonly onPrompt?: (prompt: SignInPrompt) => void | Promise<void>;
  /** Calls wait until the person has signed in (at most `authTimeout`). Default: they fail at once with `sign_in_needed`, which has the address. */
  readonly wait?: boolean;

  /** `'Name: value'`, or several: sent to the MCP server with each request, and only there. `${VAR}` is expanded. With `Authorization` there is no
   * sign-in. */
  readonly header?: string | readonly string[];
  /** A file with headers, one `Name: value` per line, `#` comments; or several. */
  readonly headerFile?: string | readonly string[];
  /** Of `authorizedTransport`: `auto` tries Streamable HTTP first, then HTTP+SSE. Default: `auto`. */
  readonly transport?: 'auto' | 'http' | 'sse' | 'sse-first';
  /** Allows plain http to a server that is not on this machine. Default: false. */
  readonly allowHttp?: boolean;
  /** A PEM file with certificate authorities to trust besides those of Node. */
  readonly ca?: string;
  /** A PEM file with the client certificate, for a server that requires one; with `key`. */
  readonly cert?: string;
  /** The PEM file with the private key of `cert`. */
  readonly key?: string;
  /** Seconds for making a connection, 0.1 to 600. Default: 10. */
  readonly connectTimeout?: number;

  /** Keeps several logins at one server apart. Default: `default`. */
  readonly profile?: string;
  /** Scopes to request, separated by spaces, instead of those named by the server. */
  readonly scope?: string;
  /** The resource indicator (RFC 8707), instead of the server's own. */
  readonly resource?: string;
  /** No resource indicator is sent. Default: false. */
  readonly noResource?: boolean;
  /** The loopback host in the redirect URI: `127.0.0.1` (default), `localhost` or `[::1]`. */
  readonly callbackHost?: string;
  /** The port of the redirect URI. Default: any that is free. */
  readonly callbackPort?: number;
  /** The path of the redirect URI. Default: `/callback`. */
  readonly callbackPath?: string;
  /** Seconds for a person to sign in, 1 to 86400. Default: 300. */
  readonly authTimeout?: number;
  /** `false`: a sign-in opens a browser on this machine. Default: true, unlike on the command line: a program shows the address itself. */
  readonly noBrowser?: boolean;
  /** Signs in even if the metadata does not mention PKCE, which is used anyway. Default: false. */
  readonly assumePkce?: boolean;
  /** No sign-in is started: if one is needed, calls fail with `sign_in_needed`. Default: false, in CI true. */
  readonly nonInteractive?: boolean;
  /** Allows sign-ins in CI. */
  readonly interactive?: boolean;
  /** Settings for a vendor, by name; `mcp-drawbridge presets` lists them. */
  readonly preset?: string;
  /** A manually registered client, instead of registering one. */
  readonly clientId?: string;
  /** The environment variable that contains the client secret. */
  readonly clientSecretEnv?: string;
  /** The file that contains the client secret. */
  readonly clientSecretFile?: string;
  /** The client secret. */
  readonly clientSecret?: string;
  /** A file with the private key (PEM or JWK) with which the client authenticates (RFC 7523). */
  readonly clientKey?: string;
  /** The signature algorithm of `clientKey`, such as `ES256`. Default: by the key. */
  readonly clientKeyAlg?: string;
  /** A Client ID Metadata Document, if the server supports them. */
  readonly clientMetadataUrl?: string;
  /** Default: `authorization_code`. The last three need no person. */
  readonly grant?: 'authorization_code' | 'device_code' | 'client_credentials' | 'jwt-bearer' | 'enterprise';
  /** The file with the JWT of the grant `jwt-bearer`, read for each token request. */
  readonly assertionFile?: string;
  /** The file with the ID token of the grant `enterprise`, read for each token request. */
  readonly idTokenFile?: string;
  /** The client of the grant `enterprise` at the identity provider. */
  readonly idpClientId?: string;
  /** The environment variable with the secret of `idpClientId`. */
  readonly idpClientSecretEnv?: string;
  /** The file with the secret of `idpClientId`. */
  readonly idpClientSecretFile?: string;
  /** A file with the private key with which `idpClientId` authenticates. */
  readonly idpClientKey?: string;
  /** The identity provider's token endpoint, for the grant `enterprise`. */
  readonly idpTokenEndpoint?: string;
  /** Tokens bound to a key (RFC 9449): `auto` (default) if the server requires it. */
  readonly dpop?: 'auto' | 'always' | 'never';
  /** The only authorization server to accept, spelled exactly as in its metadata. */
  readonly issuer?: string;
  /** `'NAME=VALUE'`, or several: more parameters of the authorization request. */
  readonly authorizeParam?: string | readonly string[];
  /** Sends the server the ID token instead of the access token. Default: false. */
  readonly useIdToken?: boolean;

  /**
   * Where logins are stored: `file` (default), in a folder that every program and bridge of this user shares; `memory`, for this login only; the address of a
   * Redis or Valkey server shared by several machines (`rediss://…`, which needs a key); or the program's own store, which needs a key too. Default:
   * MCP_DRAWBRIDGE_STORE, else `file`. With a shared store, calls start no sign-in unless `interactive` is set; `signIn` does.
   */
  readonly store?: string | LoginStore;
  /** The file that contains the address of a shared store, for one with a password. */
  readonly storeFile?: string;
  /** The keys of a shared store: 32 bytes each in base64, separated by commas. The first one seals logins, all open them. */
  readonly storeKey?: string;
  /** A file with these keys, one per line; `mcp-drawbridge store key FILE` creates one. */
  readonly storeKeyFile?: string;
  /** A program that prints them, with its arguments. */
  readonly storeKeyCommand?: string;
  /** The prefix of all names in a shared store. Default: `mcp-drawbridge`. */
  readonly storePrefix?: string;
  /** Allows a shared store without TLS that is not on this machine. Default: false. */
  readonly allowPlainStore?: boolean;
  /** The folder with the logins. Default: MCP_DRAWBRIDGE_HOME, else the system's usual folder. */
  readonly home?: string;
  /** An access token to send unchanged: there is no sign-in and no refresh. */
  readonly token?: string;
  /** The output of `mcp-drawbridge tokens export`, used if there is no login yet. */
  readonly credentials?: string;
}
