import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';

export interface StorageEvents {
  /** A redeemed refresh token came again within the grace period and was redeemed once more. */
  onGraceReplay(): void;
  onGrantRevoked(grantId: string): void;
  /** How long a redeemed refresh token may come again without harm: 0 = not at all. */
  reuseGraceMs(): number;
}

interface Stored {
  payload: AdapterPayload;
  consumedAt?: number;
}

/**
 * What the authorization server knows. oidc-provider's own memory adapter forgets after 1,000 entries, and its reuse detection looks
 * (find) and marks (consume) in two steps: of two requests at the same moment both would pass. Here the second fails.
 */
export class AuthorizationServerStorage {
  readonly #entries = new Map<string, Stored>();
  readonly #redeemed = new Set<string>();
  readonly #events: StorageEvents;

  constructor(events: StorageEvents) {
    this.#events = events;
  }

  adapter(model: string): Adapter {
    const entries = this.#entries;
    const key = (id: string) => `${model}:${id}`;
    const findBy = (matches: (payload: AdapterPayload) => boolean) => {
      for (const [name, { payload }] of entries) {
        if (name.startsWith(`${model}:`) && matches(payload)) return payload;
      }
      return undefined;
    };
    return {
      upsert: async (id, payload) => {
        entries.set(key(id), { payload });
      },
      find: async (id) => this.#find(model, key(id)),
      findByUid: async (uid) => findBy((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
      consume: async (id) => this.#consume(model, id, key(id)),
      destroy: async (id) => {
        entries.delete(key(id));
      },
      revokeByGrantId: async (grantId) => this.revokeGrant(grantId),
    };
  }

  /** Drops all that hangs on the grant. */
  revokeGrant(grantId: string): void {
    for (const [name, { payload }] of this.#entries) {
      if (payload.grantId === grantId) this.#entries.delete(name);
    }
    this.#entries.delete(`Grant:${grantId}`);
    this.#events.onGrantRevoked(grantId);
  }

  revokeEveryGrant(): void {
    const grants = [...this.#entries.keys()].filter((name) => name.startsWith('Grant:'));
    for (const name of grants) this.revokeGrant(name.slice('Grant:'.length));
  }

  /** As after a redeployment: registered clients are unknown. */
  forgetClients(): void {
    for (const name of this.#entries.keys()) if (name.startsWith('Client:')) this.#entries.delete(name);
  }

  expireDeviceCodes(): void {
    for (const [name, { payload }] of this.#entries) if (name.startsWith('DeviceCode:')) payload.exp = 1;
  }

  wasRedeemed(refreshToken: string): boolean {
    return this.#redeemed.has(refreshToken);
  }

  #find(model: string, key: string): AdapterPayload | undefined {
    const stored = this.#entries.get(key);
    if (stored === undefined) return undefined;
    const hidden = model === 'RefreshToken' && this.#inGrace(stored);
    return { ...stored.payload, ...(hidden ? { consumed: undefined } : {}) };
  }

  #consume(model: string, id: string, key: string): void {
    const stored = this.#entries.get(key);
    if (stored === undefined) throw new errors.InvalidGrant('token not found');
    if (stored.consumedAt !== undefined) {
      if (model !== 'RefreshToken' || !this.#inGrace(stored)) {
        if (stored.payload.grantId !== undefined) this.revokeGrant(stored.payload.grantId);
        throw new errors.InvalidGrant('token already used');
      }
      this.#events.onGraceReplay();
    }
    // The identifier of an opaque refresh token is the token.
    if (model === 'RefreshToken') this.#redeemed.add(id);
    stored.consumedAt ??= Date.now();
    stored.payload.consumed = Math.floor(stored.consumedAt / 1000);
  }

  #inGrace(stored: Stored): boolean {
    return stored.consumedAt !== undefined && Date.now() - stored.consumedAt < this.#events.reuseGraceMs();
  }
}
