import type { ServerResponse } from 'node:http';

/** The streams over which a server speaks by itself, by session for HTTP+SSE, and what it still has to say there. */
export class ServerStreams {
  readonly #open = new Map<string, ServerResponse>();
  readonly #owed: { readonly session: string; readonly event: Buffer }[] = [];
  #pays = false;

  /** From now on events for this session are written here. */
  add(session: string, response: ServerResponse): void {
    this.#open.set(session, response);
    response.once('close', () => {
      if (this.#open.get(session) === response) this.#open.delete(session);
    });
    if (this.#pays) this.#pay();
  }

  has(session: string): boolean {
    return this.#open.has(session);
  }

  /** False where the stream is not open. */
  write(session: string, event: Buffer): boolean {
    const stream = this.#open.get(session);
    stream?.write(event);
    return stream !== undefined;
  }

  /** What was not said while the server was odd, and is said after it. */
  owe(session: string, event: Buffer): void {
    this.#owed.push({ session, event });
  }

  payDebts(): void {
    this.#pays = true;
    this.#pay();
  }

  #pay(): void {
    for (const debt of this.#owed.splice(0)) {
      if (!this.write(debt.session, debt.event)) this.#owed.push(debt);
    }
  }
}
