import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { memberSpan, rawElements } from '../../protocol/json/raw-json.ts';
import { textOf } from '../../protocol/jsonrpc.ts';
import { quote } from '../../protocol/quote.ts';
import { refusalOfTool, type ToolRules } from './tool-rules.ts';

/** Hides the tools that the rules refuse: they are left out of lists, and a call of one is answered with an error. */
export class ToolFilter {
  readonly #rules: ToolRules;
  /** Name → the tool as the server described it last. Only `--read-only` needs to know it. */
  readonly #known = new Map<string, unknown>();

  constructor(rules: ToolRules) {
    this.#rules = rules;
  }

  /** Why the host may not make this request; undefined if it may. */
  refusal(method: string, params: unknown): string | undefined {
    if (method !== 'tools/call') return undefined;
    const name = isObject(params) ? params.name : undefined;
    if (typeof name !== 'string') {
      return `A tool call needs a name that is a string; got ${quote(JSON.stringify(name) ?? 'nothing')}.`;
    }
    return refusalOfTool(this.#rules, name, this.#known.get(name));
  }

  /** The answer to `tools/list` without the refused tools. All other bytes stay as they came; an answer that is no list of tools stays whole. */
  answer(text: Uint8Array | string): Uint8Array | string {
    const json = textOf(text);
    const result = memberSpan(json, 'result');
    if (result === undefined) return text;
    const [start] = result;
    const tools = memberSpan(json.slice(...result), 'tools');
    if (tools === undefined) return text;
    const array = json.slice(start + tools[0], start + tools[1]);
    if (!array.trimStart().startsWith('[')) return text;
    const elements = rawElements(array);
    const kept = elements.filter((element) => this.#allows(JSON.parse(element)));
    if (kept.length === elements.length) return text;
    return `${json.slice(0, start + tools[0])}[${kept.join(',')}]${json.slice(start + tools[1])}`;
  }

  /** As `answer`, for a result that has been parsed. */
  result(result: unknown): unknown {
    if (!isObject(result) || !Array.isArray(result.tools)) return result;
    return { ...result, tools: result.tools.filter((tool) => this.#allows(tool)) } satisfies JsonObject;
  }

  #allows(tool: unknown): boolean {
    if (!isObject(tool) || typeof tool.name !== 'string') return false;
    if (this.#rules.readOnly) this.#known.set(tool.name, tool);
    return refusalOfTool(this.#rules, tool.name, tool) === undefined;
  }
}
