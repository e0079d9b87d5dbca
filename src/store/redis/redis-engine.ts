import type { TlsSettings } from '../../platform/dial.ts';
import type { StoreUrl } from '../../protocol/store-url.ts';
import { StoreAwayError, StoreError } from '../files/store-errors.ts';
import {
  type Cell,
  type Engine,
  type EngineDescription,
  MAX_CELL_BYTES,
  type Put,
  type Replaced,
} from '../shared/engine.ts';
import type { RedisClient } from './client.ts';
import { Commands, type EngineTools } from './commands.ts';
import { describeServer, evictionPolicy } from './describe.ts';
import { ConnectionLostError, describeFault, EngineRefusal, mayHaveRun } from './errors.ts';
import { COMMAND_MS, LATER_MS } from './limits.ts';
import { Primary } from './primary.ts';
import { type Replacement, runScript, type ScriptReply } from './script.ts';
import { Subscriptions } from './subscriptions.ts';

/** How long the reply to WAIT may take beyond the time that the server waits. */
const ROUND_TRIP_MS = 100;
/** An operation that fails sooner than this may be repeated on a new connection within its time limit. */
const SOON_MS = 500;
/** The least that is left for it where there is a new connection already. */
const AGAIN_MS = 1_000;

/** Refusals that last as long as the connection does. */
const WRONG_SERVER = new Set(['MASTERDOWN', 'MOVED', 'NOAUTH', 'READONLY']);

interface RunOptions {
  readonly replacement?: Replacement;
  /** Called before the command is sent. */
  readonly onTry?: () => void;
  readonly atMostMs?: number;
}

/** Redis or Valkey: a single server, or a primary with its Sentinels. */
export class RedisEngine implements Engine {
  readonly place: string;
  readonly #primary: Primary;
  readonly #tools: EngineTools;
  readonly #commands: Commands;
  readonly #subscriptions: Subscriptions;
  readonly #closing = new AbortController();
  /** The last epoch that was seen, and whether replicas were connected at any time in it. */
  #epoch: string | undefined;
  #hasReplicas = false;
  #isPolicyKnown = false;

  constructor(url: StoreUrl, tls: TlsSettings | undefined, tools: EngineTools) {
    this.#primary = new Primary(url, tls, tools);
    this.place = this.#primary.place;
    this.#tools = tools;
    this.#subscriptions = new Subscriptions(this.#primary, tools);
    this.#commands = new Commands(this.#primary, tools, {
      onReturn: (client) => {
        this.#subscriptions.follow(client);
        this.#subscriptions.tellAll();
      },
      onLoss: () => this.#subscriptions.check(),
    });
  }

  async get(cell: string): Promise<Cell> {
    const start = this.#tools.clock.monotonic();
    const passedMs = () => this.#tools.clock.monotonic() - start;
    try {
      return (await this.#run(cell)).cell;
    } catch (error) {
      // A broken idle connection is noticed only when it is used. A read may be repeated.
      const wasKept = error instanceof ConnectionLostError && error.sent;
      const isReplaced = this.#commands.open !== undefined;
      if (!wasKept || (!isReplaced && passedMs() > SOON_MS)) throw this.#away(error, 'no');
    }
    try {
      return (await this.#run(cell, { atMostMs: Math.max(AGAIN_MS, COMMAND_MS - passedMs()) })).cell;
    } catch (error) {
      throw this.#away(error, 'no');
    }
  }

  async put(cell: string, body: Uint8Array, on: Replaced, tell: boolean, expiresInMs = 0): Promise<Put> {
    if (body.length > MAX_CELL_BYTES)
      throw new StoreError(`a cell has at most ${MAX_CELL_BYTES} bytes, and not ${body.length}`);
    const replacement: Replacement = { ...on, body, expiresInMs, tell };
    let isTried = false;
    let reply: ScriptReply;
    try {
      const onTry = () => {
        isTried = true;
      };
      reply = await this.#run(cell, { replacement, onTry });
    } catch (error) {
      throw this.#away(error, isTried && mayHaveRun(error) ? 'maybe' : 'no');
    }
    return { kind: reply.done === 'written' ? 'written' : 'superseded', cell: reply.cell };
  }

  async isPrimary(atMostMs: number): Promise<boolean> {
    const client = this.#commands.open;
    if (client === undefined) return false;
    if (this.#primary.hasSentinels) return await this.#primary.isNamed(client.target, atMostMs);
    return await this.#isReplicated(client, atMostMs);
  }

  async settled(atMostMs: number): Promise<boolean> {
    const client = this.#commands.open;
    return client !== undefined && (await this.#isReplicated(client, atMostMs));
  }

  watch(cell: string, onChange: () => void): () => void {
    return this.#subscriptions.add(cell, onChange);
  }

  async describe(): Promise<EngineDescription> {
    try {
      return await this.#commands.use((client) => describeServer(client, this.#tools));
    } catch (error) {
      throw this.#away(error, 'no');
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#subscriptions.close();
    this.#commands.close();
  }

  #run(cell: string, { replacement, onTry, atMostMs = COMMAND_MS }: RunOptions = {}): Promise<ScriptReply> {
    return this.#commands.use(async (client) => {
      onTry?.();
      if (replacement !== undefined) client.hasWritten = true;
      try {
        const reply = await runScript(client, cell, replacement, atMostMs);
        this.#note(reply);
        void this.#warnOfEviction();
        // A replica answers reads as well, with its data; only its refusal of a write would show.
        if (reply.role === 'slave') throw new EngineRefusal('READONLY');
        return reply;
      } catch (error) {
        // The next connection may lead to the server that takes writes by then, or authenticate where that was not required before.
        if (error instanceof EngineRefusal && WRONG_SERVER.has(error.reply)) client.close(error);
        throw error;
      }
    });
  }

  /** Once; a login that is evicted when memory is short costs a sign-in, or is restored by a process that knows it. Never rejects. */
  async #warnOfEviction(): Promise<void> {
    const { warn, clock } = this.#tools;
    if (warn === undefined || this.#isPolicyKnown) return;
    this.#isPolicyKnown = true;
    let policy: string | undefined;
    try {
      await clock.sleep(LATER_MS, this.#closing.signal);
      policy = await this.#commands.use(evictionPolicy);
    } catch {
      return;
    }
    if (policy?.startsWith('allkeys-') !== true) return;
    warn(
      `the store at ${this.place} drops logins when its memory is full (maxmemory-policy ${policy}); set noeviction`,
    );
  }

  #note({ cell: { epoch }, replicas }: ScriptReply): void {
    if (epoch !== this.#epoch) this.#hasReplicas = false;
    this.#epoch = epoch;
    if (replicas > 0) this.#hasReplicas = true;
  }

  /**
   * Confirmed by a replica that has what was put on this connection before (WAIT). A server that never had one confirms itself, except if its epoch is unknown,
   * since a proxy in front of it may lead anywhere.
   */
  async #isReplicated(client: RedisClient, atMostMs: number): Promise<boolean> {
    if (this.#epoch !== undefined && !this.#hasReplicas) return true;
    if (!client.hasWritten) return false;
    // WAIT 0 would wait forever.
    const waitMs = Math.max(1, Math.floor(atMostMs));
    const timer = new AbortController();
    const asked = this.#commands.use(async (open) => {
      if (open !== client) throw new ConnectionLostError('another connection', { sent: false });
      const count = await client.wait(1, waitMs, ROUND_TRIP_MS);
      return typeof count === 'number' && count >= 1;
    });
    const late = this.#tools.clock.sleep(atMostMs + ROUND_TRIP_MS, timer.signal).then(() => false);
    try {
      return await Promise.race([asked, late]);
    } catch {
      return false;
    } finally {
      timer.abort();
    }
  }

  #away(error: unknown, applied: 'no' | 'maybe'): StoreAwayError {
    const { what, hint, cause } = describeFault(error, this.#primary.hasSentinels);
    return new StoreAwayError(`the store at ${this.place} ${what}`, { applied, hint, cause });
  }
}
