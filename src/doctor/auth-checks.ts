import type { Discovered } from '../auth/discovery/discover.ts';
import type { OAuthSettings } from '../protocol/oauth-settings.ts';
import { quote } from '../protocol/quote.ts';
import { type Check, type Finding, failure, ok, skipped, warning } from './check.ts';
import type { LoginState } from './login.ts';

export interface AuthCheckDeps {
  readonly settings: OAuthSettings;
  /** The grant without a sign-in, if there is one. */
  readonly machineGrant: string | undefined;
  readonly discover: (signal: AbortSignal) => Promise<Discovered>;
  /** Opens the callback's port and closes it again. Rejects with CallbackPortError. */
  readonly tryCallback: () => Promise<void>;
  readonly login: () => Promise<LoginState>;
  /** The command that signs in with the same options. */
  readonly loginCommand: string;
  /** `initialize` and `tools/list` with the stored login. */
  readonly ask: (signal: AbortSignal) => Promise<Finding>;
  /** Whether the configured header is refused. */
  readonly isRefused: (signal: AbortSignal) => Promise<boolean>;
  /** Whether the server requires a sign-in. */
  readonly asksForSignIn: (signal: AbortSignal) => Promise<boolean>;
}

/** Checks the parts of a sign-in without making one: registers no client, opens no page, uses no token. */
export function authChecks(deps: AuthCheckDeps): readonly Check[] {
  let found: Promise<Discovered> | undefined;
  const discovered = (signal: AbortSignal) => {
    found ??= deps.discover(signal);
    return found;
  };
  return [
    {
      id: 'auth.metadata',
      needs: ['endpoint'],
      run: async (signal) => {
        if (!(await deps.asksForSignIn(signal))) return skipped('there is nothing to sign in to');
        return ok(`the authorization server is ${quote((await discovered(signal)).issuer)}`);
      },
    },
    {
      id: 'auth.registration',
      needs: ['auth.metadata'],
      run: async (signal) => {
        const { metadata } = await discovered(signal);
        if (deps.settings.client !== undefined) return ok('the client id of --client-id');
        if (deps.settings.clientMetadataUrl !== undefined && metadata.takesMetadataDocuments === true)
          return ok('the client ID metadata document of --client-metadata-url');
        if (metadata.registrationEndpoint !== undefined)
          return ok('the authorization server registers programs (RFC 7591)');
        return failure(
          `${quote(metadata.issuer)} does not register clients automatically`,
          'Ask its operator for a client of a native application, and pass --client-id ID.',
        );
      },
    },
    {
      id: 'auth.callback',
      needs: ['auth.metadata'],
      run: async () => {
        const { machineGrant } = deps;
        if (machineGrant !== undefined) return skipped(`the grant ${machineGrant} needs no browser`);
        await deps.tryCallback();
        return ok('it can be opened on this machine');
      },
    },
    {
      id: 'login',
      run: async (signal) => {
        const state = await deps.login();
        if (state.kind !== 'none') return loginFinding(state, deps);
        const isNeeded = await deps.asksForSignIn(signal).catch(() => undefined);
        if (isNeeded === undefined) return skipped('the server cannot be asked whether one is needed');
        return isNeeded ? loginFinding(state, deps) : skipped('none is needed');
      },
    },
    {
      id: 'server.answers',
      needs: ['endpoint'],
      run: async (signal) => {
        const { kind } = await deps.login();
        if (kind === 'refreshable')
          return skipped('the token has to be refreshed first, which is left to the bridge');
        if (kind !== 'valid' && (await deps.asksForSignIn(signal))) return skipped('because login is not ok');
        if (await deps.isRefused(signal)) return skipped('because auth.challenge failed');
        return deps.ask(signal);
      },
    },
  ];
}

function loginFinding(state: LoginState, { loginCommand, machineGrant }: AuthCheckDeps) {
  switch (state.kind) {
    case 'valid':
      return ok(state.text);
    case 'refreshable':
      return ok(`${state.text}; the next call refreshes it`);
    case 'none':
      if (machineGrant !== undefined) return ok(`the grant ${machineGrant} gets a token when it is needed`);
      return failure(state.text, loginCommand);
    case 'ended':
      return failure(state.text, loginCommand);
    case 'unreadable':
      return warning(state.text, loginCommand);
  }
}
