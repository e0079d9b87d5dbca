import { isObject } from '../../protocol/json-object.ts';

/** One tool parameter that is mirrored into a header: the chain of `properties` keys that leads to it. */
export interface MirroredParameter {
  readonly header: string;
  readonly path: readonly string[];
}

export type ToolHeaders =
  | { readonly kind: 'valid'; readonly parameters: readonly MirroredParameter[] }
  | { readonly kind: 'invalid'; readonly why: string };

const ANNOTATION = 'x-mcp-header';

/** RFC 9110 §5.6.2: what a field name is made of. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PRIMITIVES: readonly unknown[] = ['string', 'integer', 'boolean'];

/** A schema deeper than this is not walked: no real one is, and a hostile one would use up the stack (.github/SECURITY.md, attack 17). */
const MAX_DEPTH = 64;

/**
 * Reads the annotations of a tool's `inputSchema`. One that breaks a rule makes the tool invalid (specification 2026-07-28,
 * Streamable HTTP → Custom Headers from Tool Parameters → Schema Extension).
 */
export function toolHeaders(inputSchema: unknown): ToolHeaders {
  const parameters: MirroredParameter[] = [];
  const seen = new Set<string>();
  const why = walk(inputSchema, [], true, 0, (schema, path, reachable) => {
    const name = schema[ANNOTATION];
    if (typeof name !== 'string' || !TOKEN.test(name)) return 'x-mcp-header is not a header name';
    if (!reachable || path.length === 0) return 'x-mcp-header at a place that is not a plain parameter';
    if (!PRIMITIVES.includes(schema.type))
      return 'x-mcp-header on a type that is no string, integer or boolean';
    if (seen.has(name.toLowerCase())) return `x-mcp-header ${name} is there twice`;
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

/** Visits each annotated schema; the path counts only while nothing but `properties` was passed through. */
function walk(
  schema: unknown,
  path: readonly string[],
  reachable: boolean,
  depth: number,
  visit: Visit,
): string | undefined {
  if (depth > MAX_DEPTH) return 'the inputSchema is nested too deep';
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

/** Keywords whose members are names of schemas, so that a parameter called `x-mcp-header` is not taken for an annotation. */
const NAMED_SCHEMAS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);

/** Keywords that hold values and not schemas. */
const DATA_KEYWORDS = new Set(['const', 'default', 'enum', 'examples', ANNOTATION]);

/** The headers of one call: absent and `null` values have none (Server Behavior for Custom Headers). */
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
 * A value as a header can carry it: plain where it is visible ASCII with inner blanks, else Base64 of its UTF-8 between markers (Value
 * Encoding). A plain value that looks like the marked form is marked too. No value can end the header (.github/SECURITY.md, attack 22).
 */
export function headerValue(value: string): string {
  const plain = value === '' || /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
  if (plain && !(value.startsWith('=?base64?') && value.endsWith('?='))) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
