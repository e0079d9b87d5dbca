import { isObject } from '../../protocol/json/json-object.ts';
import { quote } from '../../protocol/quote.ts';

/** Which tools of the server the host may see and call. A pattern is a whole name, in which `*` is any text; case does not matter. */
export interface ToolRules {
  /** Without a pattern all tools are allowed. */
  readonly allow: readonly string[];
  /** A match refuses the tool, whatever `allow` says. */
  readonly deny: readonly string[];
  /** Only tools whose `annotations.readOnlyHint` is true (specification 2025-03-26 and later, Tools → ToolAnnotations). */
  readonly readOnly: boolean;
}

/** Why the tool may not be used, for the person who set the rules; undefined if it may. `tool` is the server's own description, if it is known. */
export function refusalOfTool(rules: ToolRules, name: string, tool: unknown): string | undefined {
  const denied = rules.deny.find((pattern) => matches(pattern, name));
  if (denied !== undefined) return `The tool ${quote(name)} is denied by --deny-tool ${quote(denied)}.`;
  if (rules.allow.length > 0 && !rules.allow.some((pattern) => matches(pattern, name))) {
    return `The tool ${quote(name)} is not allowed by --allow-tool.`;
  }
  if (!rules.readOnly || isReadOnly(tool)) return undefined;
  return tool === undefined
    ? `With --read-only, a tool is called only after tools/list has shown that it is read-only; ${quote(name)} has not been listed.`
    : `The tool ${quote(name)} is not marked as read-only by the server, and --read-only is set.`;
}

function isReadOnly(tool: unknown): boolean {
  return isObject(tool) && isObject(tool.annotations) && tool.annotations.readOnlyHint === true;
}

/** Whether the whole name matches. Takes time in proportion to the lengths multiplied, whatever the pattern. */
export function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const text = name.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at + last.length <= text.length;
}
