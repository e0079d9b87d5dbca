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
  /** The user's own, for the server alone: a gateway that wants them for the first look wants them for this one. */
  readonly headers: UserHeaders;
  readonly allowHttp: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createHttp: CreateGuardedHttp;
}

/** Whether the server now names another authorization server than the issuer of this login; undefined: no login. */
export type HasIssuerChanged = (
  issuer: string | undefined,
  challenge: BearerChallenge | undefined,
) => Promise<boolean>;

/**
 * MCP 2026-07-28 (SEP-2352), authorization server migration: a server that has gone over to another issuer takes nothing that the old one issues, and
 * a refresh there would go on succeeding. On connections of its own, as a refresh. Where the metadata cannot be read, nothing has moved.
 */
export async function hasIssuerChanged(
  { server, settings, headers, allowHttp, clock, logger, createHttp }: IssuerChangeDeps,
  ...[issuer, challenge = {}]: Parameters<HasIssuerChanged>
): Promise<boolean> {
  // With --issuer no other is asked, whatever the server names.
  if (issuer === undefined || settings.issuer !== undefined) return false;
  const access = { server, headers, allowHttp, clock, createHttp };
  try {
    const found = await withGuardedFetch(access, (fetch) =>
      findProtectedResourceMetadata({ server, challenge, fetch }),
    );
    const [named, ...others] = found?.authorizationServers ?? [];
    if (named === undefined || [named, ...others].includes(issuer)) return false;
    logger.warn('the server has gone over to another authorization server', { issuer: named });
    return true;
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
    logger.debug('the resource metadata was not read again', { error: describeError(error) });
    return false;
  }
}
