import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { type RawObject, rawChild, rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { errorAnswer, type MessageId, parseMessage, RpcErrorCode, textOf } from '../../protocol/jsonrpc.ts';
import { answersId } from '../../protocol/message-id.ts';
import { capitalized } from '../../protocol/quote.ts';
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

/** A call of a legacy host that a modern server answers in one or more rounds. */
export interface Call {
  readonly id: MessageId;
  readonly method: string;
  readonly request: RawObject;
  readonly options: MessageOptions;
  readonly done: () => void;
}

/** What `InputRounds` needs. */
export interface InputRoundsOptions {
  readonly clock: Clock;
  readonly newId: () => MessageId;
  readonly translated: (text: string, call: Call) => ModernAnswer;
  /** Sends the call again under this id; it is authorized separately. */
  readonly again: (call: Call, id: MessageId, request: RawObject) => Promise<Reply>;
}

/** Runs Multi Round-Trip Requests (specification 2026-07-28) for a host that only knows requests from the server. */
export class InputRounds {
  readonly #options: InputRoundsOptions;
  readonly #hostAnswers = new HostAnswers();

  constructor(options: InputRoundsOptions) {
    this.#options = options;
  }

  /** Takes an answer of the host to one of the server's questions. */
  take(id: MessageId, text: string): void {
    this.#hostAnswers.take(id, text);
  }

  /** All messages for the host about a call: notifications, the server's questions as requests, and finally one answer. */
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

  /** Reads one reply to its end: passes notifications to the host and returns the answer. */
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

  /** Sends the server's questions to the host, then sends the call again with the answers. */
  async *#retry(
    { requests, state }: Extract<ModernAnswer, { kind: 'input-required' }>,
    id: MessageId,
    call: Call,
  ) {
    const { signal } = call.options;
    const asked = new Map(Array.from(requests.keys(), (key) => [key, this.#options.newId()]));
    const texts = Array.from(asked, ([key, question]) => requestToHost(requests.get(key) ?? '{}', question));
    // The host would never answer an invalid request.
    if (texts.some((text) => parseMessage(text).kind !== 'request')) {
      throw new BadAnswerError('the server asked for input with something that is not a request');
    }
    const answers = this.#hostAnswers.answers(asked, signal);
    // Awaited below; this keeps an earlier rejection from counting as unhandled.
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

/** The answer for the host at the end of the rounds. */
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

/** An error response of the bridge for a call that the server may have processed. */
export function failure(id: MessageId, why: string): string {
  const text = `${capitalized(why)}. The call may have run.`;
  return errorAnswer(id, RpcErrorCode.bridge, text, { mayHaveRun: true });
}

/** The server's error response to `sent` with the host's id, or an error that describes the rejection. */
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
