import type { CalmLogin } from '../calm-login.ts';
import { unless } from './step-row.ts';

/** Calls of logins whose token is not revoked. */
export class Calm {
  #served = 0;
  readonly #failed: string[] = [];

  readonly add = ({ served, failed }: CalmLogin): void => {
    this.#served += served;
    this.#failed.push(...failed);
  };

  get figures(): Readonly<Record<string, number>> {
    return { 'calls with a good token': this.#served, 'of them failed': this.#failed.length };
  }

  get missed(): string[] {
    return unless(
      this.#served > 0 && this.#failed.length === 0,
      `no failed call while the token lives (${this.#failed[0]})`,
    );
  }
}
