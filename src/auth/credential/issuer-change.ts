import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { findProtectedResourceMetadata } from '../discovery/discover.ts';
import { type CreateGuardedHttp, type UserHeaders, withGuardedFetch } from '../http/guarded-fetch.ts';

export interface IssuerChangeDeps {
  readonly server: URL;
  readonly settings: OAuthSettings;
  /** The user's own headers, for the server only: a gateway that requires them for the first metadata request requires them for this one. */
  readonly headers: UserHeaders;
  readonly allowHttp: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createHttp: CreateGuardedHttp;
}

/** Whether the server now names an authorization server other than the issuer of this login; undefined: no login. */
export type HasIssuerChanged = (
  issuer: string | undefined,
  challenge: BearerChallenge | undefined,
) => Promise<boolean>;

/**
 * MCP 2026-07-28 (SEP-2352), authorization server migration: a server that has changed its issuer accepts no token of the old one, although refreshes there
 * would still succeed. Uses separate connections, like a refresh. If the metadata is unreadable, nothing counts as changed.
 */
export async function hasIssuerChanged(
  { server, settings, headers, allowHttp, clock, logger, createHttp }: IssuerChangeDeps,
  ...[issuer, challenge = {}]: Parameters<HasIssuerChanged>
): Promise<boolean> {
  // With --issuer no other issuer is used, whatever the server names.
  if (issuer === undefined || settings.issuer !== undefined) return false;
  const access = { server, headers, allowHttp, clock, createHttp };
  try {
    const found = await withGuardedFetch(access, (fetch) =>
      findProtectedResourceMetadata({ server, challenge, fetch }),
    );
    const [named, ...others] = found?.authorizationServers ?? [];
    if (named === undefined || [named, ...others].includes(issuer)) return false;
    logger.warn('the server has changed to another authorization server', { issuer: named });
    return true;
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
    logger.debug('the resource metadata was not read again', { error: describeError(error) });
    return false;
  }
}
