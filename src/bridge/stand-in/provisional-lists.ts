import type { JsonObject } from '../../protocol/json/json-object.ts';
import { LISTS, type ListMethod } from '../../protocol/list-methods.ts';

/** Which lists the host got without the server, and which notifications it needs when the server is there. */
export class ProvisionalLists {
  /** Method → whether the list was empty because nothing was known of it. */
  readonly #given = new Map<ListMethod, boolean>();
  #signInOffered = false;
  #answersSignIn = false;

  /** A list was answered by the stand-in: with its last known contents, or with the sign-in hint or nothing instead. */
  noteProvisional(method: ListMethod, isPlaceholder: boolean): void {
    const offersSignIn = isPlaceholder && method === 'tools/list';
    this.#given.set(method, isPlaceholder && !offersSignIn);
    if (offersSignIn) {
      this.#signInOffered = true;
      this.#answersSignIn = true;
    }
  }

  /** The server's own list was sent to the host. `hasSignIn`: it contains a tool of the server called `sign_in`. */
  noteReal(method: ListMethod, hasSignIn: boolean): void {
    this.#given.delete(method);
    if (method === 'tools/list') this.#signInOffered = false;
    if (hasSignIn) this.#answersSignIn = false;
  }

  /** Whether a call of `sign_in` is for the bridge: it was offered, and a model may still call it from the first list that it got. */
  get answersSignIn(): boolean {
    return this.#answersSignIn;
  }

  /** Whether the host may still believe in the `sign_in` tool. */
  get signInOffered(): boolean {
    return this.#signInOffered;
  }

  /** The notifications that the host needs for a server with these capabilities: one for each kind of list that may differ from the one it got. */
  changes(capabilities: JsonObject): string[] {
    const differing = [...this.#given].filter(
      ([method, isEmpty]) => !isEmpty || Object.hasOwn(capabilities, LISTS[method].capability),
    );
    this.#given.clear();
    return [...new Set(differing.map(([method]) => LISTS[method].changed))];
  }
}
