import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http/http.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { textOf } from '../../protocol/jsonrpc.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import type { Reply, Transport } from '../../remote/transport/transport.ts';
import { isObject, META, ModernErrorCode, metaOf } from '../message/era.ts';
import { LEARN_TOOLS_MS, MAX_TOOL_PAGES } from '../message/limits.ts';
import { rawChild, rawMembers } from '../message/raw-json.ts';
import { messagesOf } from '../message/reply.ts';
import { parameterHeaders } from './parameter-headers.ts';
import { requestHeaders, versionHeader } from './request-headers.ts';
import { ToolCatalogue } from './tool-catalogue.ts';

/** A request of revision 2026-07-28: its text carries the `_meta` that it needs. */
export interface ModernRequest {
  readonly id: MessageId;
  readonly method: string;
  readonly params: unknown;
  readonly body: Uint8Array | string;
}

export interface ModernServerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

/** A modern server: each request with the headers that mirror it. */
export class ModernServer {
  readonly #options: ModernServerOptions;
  readonly tools: ToolCatalogue;

  constructor(options: ModernServerOptions) {
    this.#options = options;
    this.tools = new ToolCatalogue(options.logger);
  }

  newId(): string {
    return `drawbridge-${randomToken(this.#options.random, 96)}`;
  }

  /** Sends a request; one whose headers the server finds wrong was not run, and goes once more with what the list of tools says now. */
  async send(request: ModernRequest, options: MessageOptions): Promise<Reply> {
    const reply = await this.#post(request, options);
    if (request.method !== 'tools/call' || !refusesHeaders(reply)) return reply;
    return (await this.#learntInTime(request, options)) ? this.#post(request, options) : reply;
  }

  /** A list of tools that does not come leaves the call with the server's refusal. */
  async #learntInTime(request: ModernRequest, options: MessageOptions): Promise<boolean> {
    const { clock, logger } = this.#options;
    const limit = { clock, ms: LEARN_TOOLS_MS, signal: options.signal, what: 'the list of tools' };
    try {
      return await withinTimeLimit(limit, (signal) => this.#learnTools(request, { ...options, signal }));
    } catch (error) {
      if (options.signal.aborted || !(error instanceof HttpError) || error.code !== 'timeout') throw error;
      logger.debug('no list of tools', { error: describeError(error) });
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

  /** Reads the list of tools in the name of a request; false where the server gives none. */
  async #learnTools(request: ModernRequest, options: MessageOptions): Promise<boolean> {
    const { onSent: _sent, ...rest } = options;
    const _meta = metaOf(request.params);
    let cursor: string | undefined;
    for (let page = 0; page < MAX_TOOL_PAGES; page++) {
      const id = this.newId();
      const params = { ...(cursor === undefined ? {} : { cursor }), _meta };
      const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params });
      const reply = await this.#post({ id, method: 'tools/list', params, body }, rest);
      if (reply.kind === 'refused') return false;
      for await (const message of messagesOf(reply)) {
        const answer = rawMembers(message);
        if (!answer.has('result')) continue;
        const result = this.tools.take(rawChild(answer, 'result'));
        const next: unknown = JSON.parse(result.get('nextCursor') ?? 'null');
        cursor = typeof next === 'string' ? next : undefined;
      }
      if (cursor === undefined) return true;
    }
    return true;
  }
}

function refusesHeaders(reply: Reply): boolean {
  return reply.kind === 'refused' && errorCodeOf(reply.refusal.body) === ModernErrorCode.headerMismatch;
}

/** The code of a JSON-RPC error, whatever its id is; undefined where the text is none. */
export function errorCodeOf(body: Uint8Array | string): unknown {
  try {
    const message: unknown = JSON.parse(textOf(body));
    return isObject(message) && isObject(message.error) ? message.error.code : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
