import type { Instance } from '../instance.ts';
import type { FleetWorld } from './world.ts';

const INSTANCES = 2;
const TURN_MS = 500;

/** A login whose token is not revoked, and instances that are called all the time: whatever happens to the engine, no call may fail. */
export class CalmLogin {
  served = 0;
  readonly failed: string[] = [];
  #instances: readonly Instance[] = [];
  #isOver = false;
  #calling: Promise<unknown> = Promise.resolve();
  readonly #world: FleetWorld;

  private constructor(world: FleetWorld) {
    this.#world = world;
  }

  /** Signed in, and called from now on. */
  static async begin(world: FleetWorld, profile: string): Promise<CalmLogin> {
    await world.signIn(profile);
    const login = new CalmLogin(world);
    login.#instances = Array.from({ length: INSTANCES }, (_, home) =>
      world.start({ args: ['--profile', profile], home }),
    );
    login.#calling = Promise.all(login.#instances.map((one) => login.#call(one)));
    return login;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#calling;
    for (const instance of this.#instances) await this.#world.end(instance);
  }

  async #call(instance: Instance): Promise<void> {
    while (!this.#isOver) {
      const end = await instance.call();
      if (end.kind === 'served') this.served++;
      else this.failed.push(end.kind === 'failed' ? end.why : 'the process has ended');
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    }
  }
}
