import { AbortedError, checkIn } from '../../errors.ts';
import type { HostWriter } from '../../host/writer.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import { errorAnswer, type MessageId, RpcErrorCode, resultAnswer } from '../../protocol/jsonrpc.ts';
import { isListMethod, LISTS, type ListMethod } from '../../protocol/list-methods.ts';
import type { CachedServer } from '../../protocol/server-cache.ts';
import type { Session } from '../session/session.ts';
import type { ListWait } from '../stand-in/list-wait.ts';
import { completeResult, standInDiscovery } from '../stand-in/modern-stand-in.ts';
import type { ProvisionalLists } from '../stand-in/provisional-lists.ts';
import { mayAskForSignIn, signInInput } from '../stand-in/sign-in-input.ts';
import { absentAnswer, type SignInToolOutcome, signInResult, standInList } from '../stand-in/stand-in.ts';
import { describeUnavailability } from '../stand-in/unavailability.ts';
import type { UrlElicitation } from '../stand-in/url-elicitation.ts';
import { hostProfile } from '../timing/host-profile.ts';
import { STAND_IN_AFTER_MS } from '../timing/limits.ts';
import { callWaitMs, TIMED_OUT, WaitBudget } from '../timing/wait-budget.ts';
import type { ToolFilter } from '../tools/tool-filter.ts';
import type { HostDelivery } from './host-delivery.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import { capabilitiesIn, type ServerAnswers } from './server-answers.ts';
import type { SessionEffects } from './session-effects.ts';

export interface StandInAnswersDeps {
  readonly table: PendingRequests;
  readonly session: Session;
  readonly serverAnswers: ServerAnswers;
  readonly cachedServer: Promise<CachedServer>;
  readonly lists: ProvisionalLists;
  readonly listWait: Pick<ListWait, 'lastTime'>;
  /** Tell whether the host's `initialize` was answered by the stand-in. */
  readonly sessionEffects: Pick<SessionEffects, 'stoodIn'>;
  readonly urlElicitation: UrlElicitation;
  readonly hostDelivery: HostDelivery;
  readonly writer: HostWriter;
  readonly toolFilter?: Pick<ToolFilter, 'result'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `--wait`: the `sign_in` tool waits for the whole sign-in. */
  readonly wait: boolean;
}

/** The answers that the bridge gives in the server's place while the server is unavailable. */
export class StandInAnswers {
  readonly #deps: StandInAnswersDeps;

  constructor(deps: StandInAnswersDeps) {
    this.#deps = deps;
  }

  /** The answer to a request for something that the server has not declared; undefined: the request is for the server. */
  absent(id: MessageId, method: string): string | undefined {
    const { session, serverAnswers, sessionEffects } = this.#deps;
    const { withoutSession } = session;
    if (withoutSession && serverAnswers.discovered === undefined) return undefined;
    const absent = absentAnswer(method, sessionEffects.stoodIn, serverAnswers.capabilities);
    if (absent === undefined) return undefined;
    if (absent.kind === 'error') return errorAnswer(id, RpcErrorCode.methodNotFound, absent.message);
    return resultAnswer(id, withoutSession ? completeResult(absent.result) : absent.result);
  }

  /**
   * As `absent`, while the server cannot answer. Prompts and resources that only the stand-in declared are answered with an empty list: hosts ask for
   * them before the tools, and would wait for what may not be there. They are told when it is.
   */
  absentMeanwhile(id: MessageId, method: string): string | undefined {
    const { session, lists, listWait, sessionEffects, wait } = this.#deps;
    if (session.withoutSession || wait || !isListMethod(method)) return undefined;
    if (session.initializeResult !== undefined) return this.absent(id, method);
    if (!sessionEffects.stoodIn || method === 'tools/list') return undefined;
    const absent = absentAnswer(method, true, capabilitiesIn(listWait.lastTime.initialize));
    if (absent?.kind !== 'result') return undefined;
    lists.noteProvisional(method, true);
    return resultAnswer(id, absent.result);
  }

  /**
   * The request has waited as long as it may. A list is answered with its last known contents, with the sign-in hint, or with nothing while the server has not
   * answered yet; a call with an error that contains the address, or with a request to open it.
   */
  async unavailable(request: PendingRequest): Promise<void> {
    const { table, session, cachedServer, lists, urlElicitation, hostDelivery, writer, toolFilter, wait } =
      this.#deps;
    const { unavailability } = session;
    if (isListMethod(request.method)) {
      const list =
        standInList(request.method, await cachedServer, unavailability) ?? this.#emptyAtFirst(request.method);
      if (list !== undefined) {
        const isOfServer = request.method === 'tools/list' && !list.placeholder;
        const shown = isOfServer ? (toolFilter?.result(list.result) ?? list.result) : list.result;
        const result = session.withoutSession ? completeResult(shown) : shown;
        const answer = resultAnswer(request.id, result);
        if (table.settle(request.id) === undefined) return;
        lists.noteProvisional(request.method, list.placeholder);
        await writer.write(answer);
        return;
      }
      // After an error, too, the host has to be notified when the server is there.
      lists.noteProvisional(request.method, request.method !== 'tools/list');
    }
    const { due } = urlElicitation;
    if (!wait && due !== undefined && mayAskForSignIn(request.method, request.params)) {
      const answer = resultAnswer(request.id, signInInput(due.address, due.message));
      if (table.settle(request.id) !== undefined) await writer.write(answer);
      return;
    }
    const address = unavailability.kind === 'signing-in' ? unavailability.address : undefined;
    const { code, data } =
      address === undefined
        ? { code: undefined, data: 'error' in unavailability ? checkIn(unavailability.error) : undefined }
        : urlElicitation.errorFor(address);
    hostDelivery.fail(request, describeUnavailability(unavailability), data, code);
  }

  /**
   * A list of a server that has never answered yet, and may still: empty. Some hosts close the server for an error (seen: Codex 0.169, opencode 1.18).
   */
  #emptyAtFirst(method: ListMethod): ReturnType<typeof standInList> {
    const { session, sessionEffects } = this.#deps;
    const isFirst = sessionEffects.stoodIn && session.initializeResult === undefined;
    if (!isFirst || session.unavailability.kind !== 'opening') return undefined;
    return { result: { [LISTS[method].field]: [] }, placeholder: method !== 'tools/list' };
  }

  /**
   * The `sign_in` tool: answered when the server is ready, when the sign-in has ended without success, or like any call before the host times out; the caller
   * can then call again.
   */
  async signInTool(request: PendingRequest): Promise<void> {
    const { table, session, lists, writer, clock, wait } = this.#deps;
    const { signal } = request.stop;
    const waitBudget = new WaitBudget(clock, callWaitMs(wait), signal);
    request.waitBudget = waitBudget;
    const isUsable = await Promise.resolve(session.usable(waitBudget)).then(
      (waited) => waited !== TIMED_OUT,
      () => false,
    );
    // A host that already has the server's own list shows its tools.
    const showsTools =
      !lists.signInOffered || hostProfile(session.initializeRequest?.params).honoursListChanged;
    const outcome: SignInToolOutcome = isUsable ? { kind: 'signed-in', showsTools } : session.unavailability;
    const answer = resultAnswer(request.id, signInResult(outcome));
    if (signal.aborted || table.settle(request.id) === undefined) return;
    await writer.write(answer);
  }

  /** Answers a `server/discover` that the server has not answered within a second. The request itself goes to the server all the same. */
  discovery(request: PendingRequest): void {
    const { logger } = this.#deps;
    this.#discovery(request).catch((error: unknown) => {
      if (!request.stop.signal.aborted) logUnexpected(logger, 'the stand-in for server/discover', error);
    });
  }

  async #discovery(request: PendingRequest): Promise<void> {
    const { table, cachedServer, hostDelivery, writer, clock } = this.#deps;
    await clock.sleep(STAND_IN_AFTER_MS, request.stop.signal);
    const standIn = standInDiscovery(await cachedServer);
    if (request.isSettled) return;
    if (standIn.kind === 'error') hostDelivery.fail(request, standIn.message, undefined, standIn.code);
    else if (table.settle(request.id) !== undefined) {
      await writer.write(resultAnswer(request.id, standIn.result));
    }
    request.stop.abort(new AbortedError('answered by the stand-in'));
  }
}
