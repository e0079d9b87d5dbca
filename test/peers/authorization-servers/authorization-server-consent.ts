import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Interaction } from 'oidc-provider';
import { Journal } from '../net/journal.ts';
import { consentPage } from './consent-page.ts';

/**
 * auto: finished at once, as where the person is signed in and has consented before. page: an Allow and a Deny button.
 * wait: the browser waits until the test calls allow() or deny().
 */
export type ConsentMode = 'auto' | 'page' | 'wait';
type Answer = 'allow' | 'deny';

const ACCOUNT = 'person';

/** The person at the authorization server: login and consent in one step. */
export class Consent {
  mode: ConsentMode;
  /** One entry for each time that a person was asked. */
  readonly asked = new Journal<{ readonly at: number; readonly clientId: string }>();
  readonly #onDenied: () => void;
  #held: ((answer: Answer) => void)[] = [];

  constructor(mode: ConsentMode, onDenied: () => void) {
    this.mode = mode;
    this.#onDenied = onDenied;
  }

  /** Answers everyone who waits and everyone who comes. */
  allow(): void {
    this.mode = 'auto';
    this.#release('allow');
  }

  /** Answers those who wait; who comes later waits again. */
  deny(): void {
    this.#release('deny');
  }

  async serve(
    provider: Provider,
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
  ): Promise<void> {
    let interaction: Interaction;
    try {
      interaction = await provider.interactionDetails(request, response);
    } catch (error) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
      return;
    }
    const answer = await this.#answer(interaction, request, body);
    if (answer === undefined) {
      const client = await provider.Client.find(String(interaction.params.client_id));
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
      response.end(
        consentPage({
          clientName: client?.clientName ?? String(interaction.params.client_id),
          action: request.url ?? '',
          scope: String(interaction.params.scope ?? ''),
        }),
      );
      return;
    }
    await finish(provider, interaction, answer, request, response);
    if (answer === 'deny') this.#onDenied();
  }

  async #answer(
    interaction: Interaction,
    request: IncomingMessage,
    body: string,
  ): Promise<Answer | undefined> {
    if (request.method === 'POST') {
      return new URLSearchParams(body).get('answer') === 'allow' ? 'allow' : 'deny';
    }
    const clientId = String(interaction.params.client_id);
    const asked = { at: Date.now(), clientId };
    if (this.mode === 'wait') {
      const held = new Promise<Answer>((resolve) => this.#held.push(resolve));
      this.asked.add(asked);
      return held;
    }
    this.asked.add(asked);
    return this.mode === 'auto' ? 'allow' : undefined;
  }

  #release(answer: Answer): void {
    const held = this.#held;
    this.#held = [];
    for (const resolve of held) resolve(answer);
  }
}

async function finish(
  provider: Provider,
  interaction: Interaction,
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (answer === 'deny') {
    const refusal = { error: 'access_denied', error_description: 'the person said no' };
    await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
    return;
  }
  const { client_id: clientId, scope, resource } = interaction.params;
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId: String(clientId) });
  if (typeof scope === 'string') {
    grant.addOIDCScope(scope);
    for (const one of [resource].flat()) if (typeof one === 'string') grant.addResourceScope(one, scope);
  }
  const grantId = await grant.save();
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: ACCOUNT }, consent: { grantId } },
    { mergeWithLastSubmission: false },
  );
}
