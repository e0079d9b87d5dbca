import type { HostWriter } from '../../host/writer.ts';
import { ownId, type Random } from '../../platform/random.ts';
import { type MessageId, notification, RpcErrorCode, requestMessage } from '../../protocol/jsonrpc.ts';
import { answersId, stringId } from '../../protocol/message-id.ts';
import { declaresUrlElicitation } from './stand-in.ts';

/** What the bridge knows of the host when it wants to show it an address. */
export interface HostView {
  readonly params: unknown;
  readonly initialized: boolean;
  /** Whether something of the host waits for an answer: a host that asks for nothing is not disturbed. */
  readonly waiting: boolean;
}

function messageFor(userCode: string | undefined): string {
  const code = userCode === undefined ? '' : ` The code to enter there: ${userCode}`;
  return `Sign in to use this server.${code}`;
}

/** Shows the address of a sign-in to the person by way of the host (specification 2025-11-25, Elicitation → URL mode). */
export class UrlElicitation {
  readonly #writer: HostWriter;
  readonly #random: Random;
  readonly #host: () => HostView;
  #address: string | undefined;
  #userCode: string | undefined;
  /** The last address that was put to the host; its request and its elicitation share one id. */
  #shown: { readonly address: string; readonly id: string; readonly open: boolean } | undefined;

  constructor(writer: HostWriter, random: Random, host: () => HostView) {
    this.#writer = writer;
    this.#random = random;
    this.#host = host;
  }

  /** A sign-in now has this address. */
  setAddress(address: string, userCode?: string): void {
    this.#address = address;
    this.#userCode = userCode;
    this.offer();
  }

  /** Puts the address to the host once, if it can show addresses and is waiting for something. */
  offer(): void {
    const address = this.#address;
    const host = this.#host();
    if (address === undefined || this.#shown?.address === address) return;
    if (!host.initialized || !host.waiting || !declaresUrlElicitation(host.params)) return;
    const id = ownId(this.#random);
    this.#shown = { address, id, open: true };
    const params = { mode: 'url', elicitationId: id, url: address, message: messageFor(this.#userCode) };
    void this.#writer.write(requestMessage(stringId(id), 'elicitation/create', params));
  }

  /** Whether this answer of the host was to the bridge and not to the server. */
  consumes(id: MessageId): boolean {
    return this.#shown !== undefined && answersId(id, stringId(this.#shown.id));
  }

  /** The sign-in ended; the host may close what it shows. */
  complete(): void {
    this.#address = undefined;
    if (!this.#shown?.open) return;
    this.#shown = { ...this.#shown, open: false };
    void this.#writer.write(
      notification('notifications/elicitation/complete', { elicitationId: this.#shown.id }),
    );
  }

  /** What an error carries so that the host can show the address: its code and data. */
  errorFor(address: string): { readonly code: number; readonly data: unknown } {
    const { params } = this.#host();
    if (!declaresUrlElicitation(params)) return { code: RpcErrorCode.bridge, data: { address } };
    const elicitationId = this.#shown?.id ?? ownId(this.#random);
    const elicitation = { mode: 'url', elicitationId, url: address, message: messageFor(this.#userCode) };
    return { code: RpcErrorCode.urlElicitationRequired, data: { elicitations: [elicitation] } };
  }
}
