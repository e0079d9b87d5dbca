import { isNestedDeeper } from '../../protocol/json/json-scan.ts';

/** .github/SECURITY.md, attack 17: real documents nest less than ten levels deep; deeper ones aim at a stack overflow. */
export const MAX_JSON_DEPTH = 256;

export function isTooDeep(text: string): boolean {
  return /^\s*[[{]/.test(text) && isNestedDeeper(text, MAX_JSON_DEPTH);
}

/** Parses JSON from an authorization server; undefined if it is invalid, or nested too deeply. */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
