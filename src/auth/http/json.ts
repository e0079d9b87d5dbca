import { isNestedDeeper } from '../../protocol/json/json-scan.ts';

/** .github/SECURITY.md, attack 17: real documents nest less than ten deep; what is deeper is meant for someone's stack. */
export const MAX_JSON_DEPTH = 256;

export function isTooDeep(text: string): boolean {
  return /^\s*[[{]/.test(text) && isNestedDeeper(text, MAX_JSON_DEPTH);
}

/** JSON from an authorization server; undefined where it is none, or nests too deep. */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
