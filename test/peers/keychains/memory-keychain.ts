import type {
  KeeperAnswer,
  KeeperOutcome,
  KeyKeeper,
  OpenKeeper,
} from '../../../src/store/sealing/keychain-keys.ts';

type State = 'open' | 'locked' | 'absent' | 'no-bus';

/** A keychain that is a map, and that can be locked. */
export class MemoryKeychain implements KeyKeeper {
  readonly items = new Map<string, string>();
  state: State = 'open';
  /** Runs once, while the next question waits for its answer. */
  meanwhile: (() => Promise<void>) | undefined;
  /** What it was asked, in order. */
  readonly asked: string[] = [];

  /** Whichever keychain is named, it is this one. */
  readonly open: OpenKeeper = async () => this;

  async read(account: string): Promise<KeeperAnswer> {
    this.asked.push(`read ${account}`);
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    if (this.state !== 'open') return this.#refusal();
    const secret = this.items.get(account);
    return secret === undefined ? { kind: 'not-found' } : { kind: 'found', secret };
  }

  async write(account: string, secret: string): Promise<KeeperOutcome> {
    this.asked.push(`write ${account}`);
    if (this.state !== 'open') return this.#refusal();
    this.items.set(account, secret);
    return { kind: 'done' };
  }

  async erase(account: string): Promise<KeeperOutcome> {
    this.asked.push(`erase ${account}`);
    if (this.state !== 'open') return this.#refusal();
    return { kind: this.items.delete(account) ? 'done' : 'not-found' };
  }

  #refusal(): Extract<KeeperAnswer, { readonly wayOut: string }> {
    const kind = this.state === 'open' ? 'failed' : this.state;
    return { kind, text: `the keychain is ${kind}`, wayOut: 'Unlock it.' };
  }
}
