import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { errorAnswer, type MessageId, parseMessage, RpcErrorCode, textOf } from '../../protocol/jsonrpc.ts';
import { answersId } from '../../protocol/message-id.ts';
import { capitalized } from '../../protocol/quote.ts';
import { type RawObject, rawChild, rawMembers, rawObject } from '../../protocol/raw-json.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import { excerpt } from '../../remote/http/refusal.ts';
import {
  isRejection,
  type Rejection,
  type Reply,
  type ServerReply,
} from '../../remote/transport/transport.ts';
import { MAX_INPUT_ROUNDS, STATE_ONLY_PAUSE_MS } from '../message/limits.ts';
import { type Events, eventOf, messagesOf } from '../message/reply.ts';
import { HostAnswers } from './host-answers.ts';
import { type ModernAnswer, requestToHost } from './translate.ts';

/** One call of a legacy host while a modern server answers it, over however many rounds. */
export interface Call {
  readonly id: MessageId;
  readonly method: string;
  readonly request: RawObject;
  readonly options: MessageOptions;
  readonly done: () => void;
}

export interface InputRoundsOptions {
  readonly clock: Clock;
  readonly newId: () => MessageId;
  readonly translated: (text: string, call: Call) => ModernAnswer;
  /** Sends the call once more, under this id, with a token of its own. */
  readonly again: (call: Call, id: MessageId, request: RawObject) => Promise<Reply>;
}

/** Multi Round-Trip Requests (specification 2026-07-28) for a host that knows only requests of the server. */
export class InputRounds {
  readonly #options: InputRoundsOptions;
  readonly #hostAnswers = new HostAnswers();

  constructor(options: InputRoundsOptions) {
    this.#options = options;
  }

  /** An answer of the host to one of the server's questions. */
  take(id: MessageId, text: string): void {
    this.#hostAnswers.take(id, text);
  }

  /** Everything that the host hears of a call: notifications, the server's questions as requests, and in the end one answer. */
  async *run(first: Reply, call: Call): Events & AsyncGenerator {
    try {
      let reply: Reply = first;
      let id = call.id;
      for (let round = 0; ; round++) {
        if (isRejection(reply)) {
          yield [eventOf(rejectionAnswer(reply, id, call.id))];
          return;
        }
        const answer = yield* this.#round(reply, id, call);
        if (answer === undefined) return;
        if (answer.kind !== 'input-required' || round === MAX_INPUT_ROUNDS) {
          yield [eventOf(finalText(answer, call.id))];
          return;
        }
        id = this.#options.newId();
        reply = yield* this.#retry(answer, id, call);
      }
    } catch (error) {
      if (call.options.signal.aborted || !(error instanceof DrawbridgeError)) throw error;
      yield [eventOf(failure(call.id, describeError(error)))];
    } finally {
      call.done();
    }
  }

  /** One reply to its end: what is no answer passes to the host, the answer is returned. */
  async *#round(reply: ServerReply, id: MessageId, call: Call) {
    for await (const { text, envelope } of messagesOf(reply)) {
      if (envelope.kind === 'response' && answersId(envelope.id, id)) {
        return this.#options.translated(text, call);
      }
      // Receiving Messages: a modern server must not send requests on any stream.
      if (envelope.kind === 'notification') yield [eventOf(text)];
    }
    return undefined;
  }

  /** Puts the server's questions to the host, then sends the call again with the answers. */
  async *#retry(
    { requests, state }: Extract<ModernAnswer, { kind: 'input-required' }>,
    id: MessageId,
    call: Call,
  ) {
    const { signal } = call.options;
    const asked = new Map(Array.from(requests.keys(), (key) => [key, this.#options.newId()]));
    const texts = Array.from(asked, ([key, question]) => requestToHost(requests.get(key) ?? '{}', question));
    // Nobody would answer it.
    if (texts.some((text) => parseMessage(text).kind !== 'request')) {
      throw new BadAnswerError('the server asked for input in a way that is no request');
    }
    const answers = this.#hostAnswers.answers(asked, signal);
    // Awaited below; until then a rejection is not unhandled.
    answers.catch(() => {});
    const events = texts.map(eventOf);
    if (events.length > 0) yield events;
    else await this.#options.clock.sleep(STATE_ONLY_PAUSE_MS, signal);
    const given = await answers;
    const params = rawChild(call.request, 'params');
    if (given.size > 0) params.set('inputResponses', rawObject(given));
    if (state !== undefined) params.set('requestState', state);
    return await this.#options.again(call, id, new Map(call.request).set('params', rawObject(params)));
  }
}

/** What ends the rounds. */
function finalText(answer: ModernAnswer, id: MessageId): string {
  switch (answer.kind) {
    case 'complete':
      return answer.text;
    case 'unknown':
      return failure(id, `the server answered with an unknown resultType: ${excerpt(answer.resultType)}`);
    case 'input-required':
      return failure(id, `the server asked for input more than ${MAX_INPUT_ROUNDS} times`);
  }
}

export function failure(id: MessageId, why: string): string {
  const text = `${capitalized(why)}. The call may have run.`;
  return errorAnswer(id, RpcErrorCode.bridge, text, { mayHaveRun: true });
}

/** The server's own error to `sent` under the host's id, or one that says what came instead. */
function rejectionAnswer(reply: Rejection, sent: MessageId, id: MessageId): string {
  if (reply.kind === 'no-token') return failure(id, describeError(reply.error));
  if (reply.kind === 'sign-in') return failure(id, 'the server asks for a new sign-in');
  const { status, body } = reply.refusal;
  const parsed = parseMessage(body);
  if (parsed.kind === 'response' && parsed.failed && answersId(parsed.id, sent)) {
    return rawObject(rawMembers(textOf(body)).set('id', id));
  }
  return failure(id, `the server answered with status ${status}: ${excerpt(body)}`);
}
