import type { Logger } from '../../platform/log/logger.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { type RawObject, rawElements, rawObject } from '../../protocol/json/raw-json.ts';
import { type MirroredParameter, toolHeaders } from './parameter-headers.ts';

/** Which parameters of which tools are mirrored into headers, according to the lists of tools that were read. */
export class ToolCatalogue {
  readonly #parameters = new Map<string, readonly MirroredParameter[]>();
  readonly #warned = new Set<string>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The mirrored parameters of a tool; empty for an unknown tool. */
  of(tool: unknown): readonly MirroredParameter[] {
    return (typeof tool === 'string' ? this.#parameters.get(tool) : undefined) ?? [];
  }

  /**
   * Reads a page of `tools/list` and returns it without the tools whose annotations are invalid (specification 2026-07-28, Streamable HTTP →
   * Schema Extension: the client must leave them out and should log that).
   */
  take(result: RawObject): RawObject {
    const tools = result.get('tools');
    if (tools === undefined || !tools.startsWith('[')) return result;
    const elements = rawElements(tools);
    const kept = elements.filter((element) => this.#learn(JSON.parse(element)));
    return kept.length === elements.length ? result : new Map(result).set('tools', `[${kept.join(',')}]`);
  }

  #learn(tool: unknown): boolean {
    if (!isObject(tool) || typeof tool.name !== 'string') return true;
    const headers = toolHeaders(tool.inputSchema);
    if (headers.kind === 'valid') {
      this.#parameters.set(tool.name, headers.parameters);
      return true;
    }
    this.#parameters.delete(tool.name);
    if (!this.#warned.has(tool.name)) {
      this.#warned.add(tool.name);
      this.#logger.warn('left out a tool whose header annotations are invalid', {
        tool: tool.name,
        reason: headers.why,
      });
    }
    return false;
  }
}

/** The answer with another result. */
export function withResult(answer: RawObject, result: RawObject): string {
  return rawObject(new Map(answer).set('result', rawObject(result)));
}
