import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http/http.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { ownId, type Random } from '../../platform/random.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { isNestedDeeper } from '../../protocol/json/json-scan.ts';
import { type RawObject, rawMembers } from '../../protocol/json/raw-json.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { serverRequest, textOf } from '../../protocol/jsonrpc.ts';
import { answersId, stringId } from '../../protocol/message-id.ts';
import { META, ModernErrorCode, metaOf } from '../../protocol/revisions.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import { isRejection, type Reply, type Transport } from '../../remote/transport/transport.ts';
import { LEARN_TOOLS_MS, MAX_NESTING, MAX_TOOL_PAGES } from '../message/limits.ts';
import { messagesOf } from '../message/reply.ts';
import { parameterHeaders } from './parameter-headers.ts';
import { requestHeaders, versionHeader } from './request-headers.ts';
import { ToolCatalogue } from './tool-catalogue.ts';

/** A request of revision 2026-07-28; `body` already contains the `_meta` that it needs. */
export interface ModernRequest {
  readonly id: MessageId;
  readonly method: string;
  readonly params: unknown;
  readonly body: Uint8Array | string;
}

/** What `ModernServer` needs. */
export interface ModernServerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

/** Sends requests to a modern server, each with the headers that mirror it. */
export class ModernServer {
  readonly #options: ModernServerOptions;
  readonly tools: ToolCatalogue;

  constructor(options: ModernServerOptions) {
    this.#options = options;
    this.tools = new ToolCatalogue(options.logger);
  }

  newId(): MessageId {
    return stringId(ownId(this.#options.random));
  }

  /**
   * Sends a request. If the server refuses a tool call because of its headers, the call was not processed; it is sent once more with headers from
   * the current list of tools.
   */
  async send(request: ModernRequest, options: MessageOptions): Promise<Reply> {
    const reply = await this.#post(request, options);
    if (request.method !== 'tools/call' || !refusesHeaders(reply)) return reply;
    return (await this.#learntInTime(request, options)) ? this.#post(request, options) : reply;
  }

  /** Fetches the list of tools; false if it does not arrive in time, and the server's refusal is then the answer to the call. */
  async #learntInTime(request: ModernRequest, options: MessageOptions): Promise<boolean> {
    const { clock, logger } = this.#options;
    const limit = { clock, ms: LEARN_TOOLS_MS, signal: options.signal, what: 'the list of tools' };
    try {
      return await withinTimeLimit(limit, (signal) => this.#learnTools(request, { ...options, signal }));
    } catch (error) {
      if (options.signal.aborted || !(error instanceof HttpError) || error.code !== 'timeout') throw error;
      logger.debug('the list of tools did not arrive in time', { error: describeError(error) });
      return false;
    }
  }

  #post(request: ModernRequest, options: MessageOptions): Promise<Reply> {
    const { method, params, body } = request;
    const args = isObject(params) ? params.arguments : undefined;
    const name = isObject(params) ? params.name : undefined;
    return this.#options.transport.post(body, {
      ...options,
      session: { protocolVersion: versionHeader(metaOf(params)[META.protocolVersion]) },
      headers: {
        ...requestHeaders(method, params),
        ...(method === 'tools/call' ? parameterHeaders(this.tools.of(name), args) : {}),
      },
    });
  }

  /** Fetches the list of tools with the `_meta` of a request; false if the server does not send it. A missing page ends the list. */
  async #learnTools(request: ModernRequest, options: MessageOptions): Promise<boolean> {
    const seen = new Set<string | undefined>();
    let cursor: string | undefined;
    while (seen.size < MAX_TOOL_PAGES && !seen.has(cursor)) {
      seen.add(cursor);
      const result = await this.#toolPage(request, cursor, options);
      if (result === undefined) return seen.size > 1;
      this.tools.take(result);
      const next: unknown = JSON.parse(result.get('nextCursor') ?? 'null');
      if (typeof next !== 'string') return true;
      cursor = next;
    }
    return true;
  }

  /** The result of one `tools/list`; undefined if there is none. */
  async #toolPage(
    request: ModernRequest,
    cursor: string | undefined,
    options: MessageOptions,
  ): Promise<RawObject | undefined> {
    if (isNestedDeeper(textOf(request.body), MAX_NESTING)) return undefined;
    const { progress: _ofHost, ...rest } = options;
    const id = this.newId();
    const params = { cursor, _meta: { ...metaOf(request.params), progressToken: undefined } };
    try {
      const body = serverRequest(id, 'tools/list', params);
      const reply = await this.#post({ id, method: 'tools/list', params, body }, rest);
      if (isRejection(reply)) return undefined;
      for await (const { text, envelope } of messagesOf(reply)) {
        if (envelope.kind !== 'response' || !answersId(envelope.id, id)) continue;
        const result = rawMembers(text).get('result');
        return result?.startsWith('{') ? rawMembers(result) : undefined;
      }
    } catch (error) {
      if (options.signal.aborted || !(error instanceof DrawbridgeError)) throw error;
      this.#options.logger.debug('the list of tools could not be fetched', { error: describeError(error) });
    }
    return undefined;
  }
}

function refusesHeaders(reply: Reply): boolean {
  return reply.kind === 'refused' && errorCodeOf(reply.refusal.body) === ModernErrorCode.headerMismatch;
}

/** The code of a JSON-RPC error, whatever its id; undefined if the text is not an error. */
export function errorCodeOf(body: Uint8Array | string): unknown {
  try {
    const message: unknown = JSON.parse(textOf(body));
    return isObject(message) && isObject(message.error) ? message.error.code : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
