import { LISTS, type ListMethod } from '../../protocol/list-methods.ts';

/** Which lists the host was given without the server, and what to tell it when the server is there. */
export class ProvisionalLists {
  readonly #given = new Set<ListMethod>();
  #signInOffered = false;

  /** A list was answered by the stand-in. */
  noteProvisional(method: ListMethod, offersSignIn: boolean): void {
    this.#given.add(method);
    if (offersSignIn) this.#signInOffered = true;
  }

  /** The server's own list went to the host. */
  noteReal(method: ListMethod): void {
    this.#given.delete(method);
    if (method === 'tools/list') this.#signInOffered = false;
  }

  /** Whether the host may still believe in the `sign_in` tool. */
  get signInOffered(): boolean {
    return this.#signInOffered;
  }

  /** The notifications that the host is owed: one for each kind of list that may differ from what it was given. */
  changes(): string[] {
    const methods = new Set([...this.#given].map((method) => LISTS[method].changed));
    this.#given.clear();
    return [...methods];
  }
}
