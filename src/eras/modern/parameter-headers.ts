import { isObject } from '../../protocol/json/json-object.ts';

/** A tool parameter that is mirrored into a header; `path` is the chain of `properties` keys that leads to it. */
export interface MirroredParameter {
  readonly header: string;
  readonly path: readonly string[];
}

/** The header annotations of a tool, or the rule that they break. */
export type ToolHeaders =
  | { readonly kind: 'valid'; readonly parameters: readonly MirroredParameter[] }
  | { readonly kind: 'invalid'; readonly why: string };

const ANNOTATION = 'x-mcp-header';

/** RFC 9110 §5.6.2: the characters of a field name. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PRIMITIVES: readonly unknown[] = ['string', 'integer', 'boolean'];

/** A deeper schema makes the tool invalid: no real one is so deep, and a hostile one would overflow the stack (.github/SECURITY.md, attack 17). */
const MAX_DEPTH = 64;

/**
 * Reads the annotations of a tool's `inputSchema`. An annotation that breaks a rule makes the tool invalid (specification 2026-07-28, Streamable
 * HTTP → Custom Headers from Tool Parameters → Schema Extension).
 */
export function toolHeaders(inputSchema: unknown): ToolHeaders {
  const parameters: MirroredParameter[] = [];
  const seen = new Set<string>();
  const why = walk(inputSchema, [], true, 0, (schema, path, reachable) => {
    const name = schema[ANNOTATION];
    if (typeof name !== 'string' || !TOKEN.test(name)) return 'x-mcp-header is not a header name';
    if (!reachable || path.length === 0) return 'x-mcp-header at a place that is not a plain parameter';
    if (!PRIMITIVES.includes(schema.type))
      return 'x-mcp-header on a type other than string, integer or boolean';
    if (seen.has(name.toLowerCase())) return `x-mcp-header ${name} is used twice`;
    seen.add(name.toLowerCase());
    parameters.push({ header: `mcp-param-${name.toLowerCase()}`, path });
    return undefined;
  });
  return why === undefined ? { kind: 'valid', parameters } : { kind: 'invalid', why };
}

type Visit = (
  schema: { readonly [name: string]: unknown },
  path: readonly string[],
  reachable: boolean,
) => string | undefined;

/** Visits each annotated schema; `reachable` tells whether only `properties` keywords lead to it. */
function walk(
  schema: unknown,
  path: readonly string[],
  reachable: boolean,
  depth: number,
  visit: Visit,
): string | undefined {
  if (depth > MAX_DEPTH) return 'the inputSchema is nested too deeply';
  if (Array.isArray(schema)) {
    for (const one of schema) {
      const why = walk(one, path, false, depth + 1, visit);
      if (why !== undefined) return why;
    }
    return undefined;
  }
  if (!isObject(schema)) return undefined;
  if (Object.hasOwn(schema, ANNOTATION)) {
    const why = visit(schema, path, reachable);
    if (why !== undefined) return why;
  }
  for (const [keyword, value] of Object.entries(schema)) {
    if (DATA_KEYWORDS.has(keyword)) continue;
    const named = NAMED_SCHEMAS.has(keyword) && isObject(value);
    const entries: [string, unknown][] = named ? Object.entries(value) : [[keyword, value]];
    for (const [name, child] of entries) {
      const stays = reachable && keyword === 'properties' && named;
      const why = walk(child, stays ? [...path, name] : path, stays, depth + 1, visit);
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

/** Keywords whose members are named schemas, so that a parameter called `x-mcp-header` is not mistaken for an annotation. */
const NAMED_SCHEMAS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);

/** Keywords that contain values instead of schemas. */
const DATA_KEYWORDS = new Set(['const', 'default', 'enum', 'examples', ANNOTATION]);

/** The headers of one call. Absent and `null` values have no header (Server Behavior for Custom Headers). */
export function parameterHeaders(
  parameters: readonly MirroredParameter[],
  args: unknown,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { header, path } of parameters) {
    let value: unknown = args;
    for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      headers[header] = headerValue(String(value));
    }
  }
  return headers;
}

/**
 * Encodes a value for a header: unchanged if it is visible ASCII with inner blanks, otherwise as Base64 of its UTF-8 between markers (Value
 * Encoding). A plain value that looks like the encoded form is encoded too. No value can end the header (.github/SECURITY.md, attack 22).
 */
export function headerValue(value: string): string {
  const plain = value === '' || /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
  if (plain && !(value.startsWith('=?base64?') && value.endsWith('?='))) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
