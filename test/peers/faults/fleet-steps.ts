/** The steps of one refresh with a store that machines share (src/README.md, "A refresh"), in their order. */
export const FLEET_STEPS = ['before', 'POST', 'answer', 'put', 'after'] as const;
export type FleetStep = (typeof FLEET_STEPS)[number];

interface Ports {
  readonly engine: readonly number[];
  readonly authority: number;
}

/** Which step a call on a connection belongs to, from the calls before it: `connect`, `write`, and `read` of what has come. */
export class FleetSteps {
  readonly #ports: Ports;
  #step: FleetStep = 'before';

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  next(name: string, on: string): FleetStep {
    const port = Number(on);
    const isAuthority = port === this.#ports.authority;
    const isEngine = this.#ports.engine.includes(port);
    if (isAuthority && name === 'write' && this.#step !== 'POST') this.#step = 'POST';
    else if (isAuthority && name === 'read' && this.#step === 'POST') this.#step = 'answer';
    else if (isEngine && name === 'write' && this.#step === 'answer') this.#step = 'put';
    else if (isEngine && name === 'read' && this.#step === 'put') this.#step = 'after';
    else if (isEngine && name === 'write' && this.#step === 'after') this.#step = 'before';
    return this.#step;
  }

  /**
   * Called after `next`, of a call that is not made yet: the request may have been carried out by then, and nothing of its answer has left
   * for the engine.
   */
  isResidue(name: string): boolean {
    return (
      (this.#step === 'POST' && name !== 'write') ||
      this.#step === 'answer' ||
      (this.#step === 'put' && name === 'write')
    );
  }
}
