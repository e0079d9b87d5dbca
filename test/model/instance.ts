import { CredentialAuthorization } from '../../src/auth/credential/credential-authorization.ts';
import { refreshCredential } from '../../src/auth/refresh/refresh-credential.ts';
import { describeError, InternalError } from '../../src/errors.ts';
import { silentLogger } from '../../src/platform/log/logger.ts';
import type { Random } from '../../src/platform/random.ts';
import { Stop } from '../../src/platform/stop.ts';
import { credentialKey } from '../../src/store/record/key.ts';
import type { NewRecord } from '../../src/store/record/record.ts';
import type { CellCodec, Format } from '../../src/store/shared/cell-codec.ts';
import type { Ownership } from '../../src/store/shared/ownership.ts';
import { type CredentialCell, decodeCell, encodeCell } from '../../src/store/shared/protocol/cell.ts';
import { SharedStore } from '../../src/store/shared/shared-store.ts';
import type { Content } from './explain.ts';
import type { Connection, Stored } from './simulated-engine.ts';
import { isLater, type Place, placeOf, SERVER } from './strict-server.ts';
import type { VirtualProcess } from './virtual-time.ts';
import type { FleetWorld } from './world.ts';

const KEY = credentialKey({ server: new URL(SERVER), grant: 'authorization_code', profile: 'default' });
const FORMAT: Format<CredentialCell> = {
  encode: encodeCell,
  decode: (bytes) => {
    const decoded = decodeCell(bytes);
    return decoded.kind === 'cell' ? decoded.cell : undefined;
  },
};
/** A host that is told so often in a row that a sign-in is needed asks no more. */
const PATIENT_CALLS = 5;
const NOBODY: Place = { login: 0, generation: -1 };

/** One process of the program: its real store and its real authorization code, over what is simulated. */
export class ModelInstance {
  readonly process: VirtualProcess;
  readonly connection: Connection;
  /** How its last call ended. */
  lastEnd = 'no call';
  /** It has given up asking. */
  hasEnded = false;
  readonly #world: FleetWorld;
  readonly #store: SharedStore;
  readonly #authorization: CredentialAuthorization;
  /** The latest token that it has seen: it never goes back behind it. */
  #seen = NOBODY;
  #token: string | undefined;
  #asked = 0;

  constructor(world: FleetWorld, process: VirtualProcess) {
    this.#world = world;
    this.process = process;
    this.connection = world.engine.connect(process);
    const { clock } = process;
    const random: Random = {
      bytes: (count) => Uint8Array.from({ length: count }, () => world.dice.between(0, 255)),
      fraction: () => world.dice.fraction(),
    };
    this.#store = new SharedStore({
      engine: this.connection,
      codec: world.codec,
      clock,
      random,
      logger: silentLogger,
      ownership: ownershipOf(world, process),
      timing: world.timing,
    });
    const identity = { server: SERVER };
    const deps = { store: this.#store, key: KEY, identity, clock, random, logger: silentLogger };
    this.#authorization = new CredentialAuthorization({
      ...deps,
      proofMemory: new Map(),
      replaceToken: (stale, _challenge, signal) =>
        refreshCredential(
          { ...deps, sendRefreshRequest: (_record, token) => world.server.post(process, token) },
          stale,
          signal,
        ),
    });
  }

  /** The login whose token it would send. */
  get login(): number | undefined {
    return this.#token === undefined ? undefined : placeOf(this.#token).login;
  }

  /** Calls again and again, as a host does, until it is served with a later token than the stale one, or there is no login. */
  ask(stale: Place, until: number, onServed: () => void): void {
    this.hasEnded = false;
    const own = ++this.#asked;
    void this.#ask(stale, until, onServed).then(() => {
      if (own === this.#asked) this.hasEnded = true;
    });
  }

  async signIn(record: NewRecord): Promise<void> {
    await this.#store.write(KEY, record, 'any');
  }

  async logout(): Promise<void> {
    await this.#store.remove(KEY);
  }

  /** The process is about to end. */
  close(): Promise<void> {
    return this.#store.close();
  }

  kill(): void {
    this.process.diedAt = this.#world.time.now;
    this.#world.engine.forget(this.connection);
  }

  async #ask(stale: Place, until: number, onServed: () => void): Promise<void> {
    const { time, dice, server } = this.#world;
    await this.process.pause(dice.between(0, 3_000));
    for (let refusals = 0; refusals < PATIENT_CALLS; ) {
      try {
        const token = await this.#call();
        if (token !== undefined && server.takes(token) && isLater(placeOf(token), stale)) return onServed();
        this.lastEnd = `served with ${token}`;
        refusals = 0;
      } catch (error) {
        this.lastEnd = describeError(error);
        // There is no login, and nobody here who could sign in.
        refusals = error instanceof InternalError ? refusals + 1 : 0;
      }
      if (time.now >= until) return;
      await this.process.pause(dice.between(1_000, 8_000));
    }
  }

  /** One call of the host: the token with which it was served, if it was. */
  async #call(): Promise<string | undefined> {
    const { server } = this.#world;
    const { signal } = new Stop();
    const bearer = await this.#authorization.current(signal);
    this.#see(bearer?.token);
    if (bearer !== undefined && server.takes(bearer.token)) {
      this.#authorization.worked(bearer);
      return bearer.token;
    }
    const recovery = await this.#authorization.recover(bearer, undefined, signal);
    if (recovery.kind !== 'retry') return undefined;
    this.#see(recovery.bearer.token);
    if (server.takes(recovery.bearer.token)) this.#authorization.worked(recovery.bearer);
    return recovery.bearer.token;
  }

  #see(token: string | undefined): void {
    this.#token = token;
    if (token === undefined) return;
    const place = placeOf(token);
    if (isLater(this.#seen, place)) {
      this.#world.goesBack(this.process, this.#seen, place);
    } else this.#seen = place;
  }
}

/** Processes of one machine see who of the others is dead; those of machines apart do not. */
function ownershipOf(world: FleetWorld, process: VirtualProcess): Ownership {
  const held = new Set<string>();
  return {
    owner: { host: 'model', pid: process.number },
    ready: async () => undefined,
    liveness: async ({ pid }, nonce) => {
      if (pid === process.number) return held.has(nonce) ? 'alive' : 'dead';
      if (world.isApart) return 'unknown';
      return world.isAlive(pid) ? 'alive' : 'dead';
    },
    hold: (nonce) => void held.add(nonce),
    drop: (nonce) => void held.delete(nonce),
  };
}

/** What a value says of the login; undefined: it is another value, or there is none. */
export function contentIn(codec: CellCodec, { cell, seq, body }: Stored): Content | undefined {
  if (body === undefined || cell !== codec.name(KEY, 'credential')) return undefined;
  const { content, rank } = codec.open(cell, seq, body, FORMAT)?.state ?? {};
  if (content === undefined || rank === undefined) return undefined;
  if (content.kind !== 'record') return { kind: 'removed', rank: rank.login };
  return { kind: 'record', place: placeOf(content.record.tokens?.accessToken ?? ''), rank: rank.login };
}
