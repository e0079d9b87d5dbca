import type { Logger } from '../../platform/log/logger.ts';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { type Envelope, errorAnswer, RpcErrorCode, resultAnswer } from '../../protocol/jsonrpc.ts';
import { isListMethod, type ListMethod } from '../../protocol/list-methods.ts';
import type { ServerCache } from '../../protocol/server-cache.ts';
import type { Session } from '../session/session.ts';
import type { SessionSettings } from '../session/session-settings.ts';
import type { ListWait } from '../stand-in/list-wait.ts';
import { completeResult, initializeResultOfDiscovery } from '../stand-in/modern-stand-in.ts';
import type { ProvisionalLists } from '../stand-in/provisional-lists.ts';
import { holdsSignIn, insteadOfList } from '../stand-in/stand-in.ts';
import type { PendingRequest } from './pending-requests.ts';

/** A response of the server. `message` is parsed when it is first read, so a large answer is relayed without being parsed. */
export type Answer = Extract<Envelope, { kind: 'response' }>;

export interface ServerAnswersDeps {
  readonly session: () => Pick<Session, 'withoutSession' | 'capabilities'>;
  readonly settings: SessionSettings;
  readonly lists: ProvisionalLists;
  readonly listWait: Pick<ListWait, 'end'>;
  readonly memory: Pick<ServerCache, 'update'>;
  readonly logger: Logger;
}

/** What the server has answered, as far as a later session, a later start or the host's lists need to know it. */
export class ServerAnswers {
  readonly #deps: ServerAnswersDeps;
  #discovered: unknown;

  constructor(deps: ServerAnswersDeps) {
    this.#deps = deps;
  }

  /** The result of the server's last answer to `server/discover`, if there was one. */
  get discovered(): unknown {
    return this.#discovered;
  }

  /** What the server itself has declared. */
  get capabilities(): JsonObject {
    const session = this.#deps.session();
    return session.withoutSession ? capabilitiesIn(this.#discovered) : session.capabilities;
  }

  /** Takes note of an answer. Returns what goes to the host in its place; undefined: the answer itself. */
  accept(request: PendingRequest, answer: Answer): string | undefined {
    const { method } = request;
    if (isListMethod(method)) return this.#acceptList(method, request, answer);
    const { settings, memory } = this.#deps;
    if (!answer.failed) settings.note(request);
    if (method !== 'server/discover') return undefined;
    const { result } = answer.message;
    if (!isObject(result)) return undefined;
    this.#discovered = result;
    memory.update({ initialize: initializeResultOfDiscovery(result) });
    return undefined;
  }

  #acceptList(
    method: ListMethod,
    { id, params }: PendingRequest,
    { failed, message }: Answer,
  ): string | undefined {
    const { session, lists, listWait, memory, logger } = this.#deps;
    const { result } = message;
    const instead = failed
      ? undefined
      : insteadOfList(method, result, Object.hasOwn(this.capabilities, 'tools'));
    if (instead !== undefined) {
      logger.warn('the server answered a request for a list without one', { method });
      if (instead.kind === 'error') return errorAnswer(id, RpcErrorCode.bridge, instead.message);
      return resultAnswer(id, session().withoutSession ? completeResult(instead.result) : instead.result);
    }
    if (!isObject(result)) return undefined;
    lists.noteReal(method, method === 'tools/list' && holdsSignIn(result.tools));
    listWait.end();
    const isWhole = result.nextCursor === undefined && !(isObject(params) && params.cursor !== undefined);
    if (isWhole) memory.update({ lists: { [method]: result } });
    return undefined;
  }
}

/** The capabilities in a result of `initialize` or `server/discover`; empty where it names none. */
export function capabilitiesIn(result: unknown): JsonObject {
  return isObject(result) && isObject(result.capabilities) ? result.capabilities : {};
}
