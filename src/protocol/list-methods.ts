import { isObject } from './json/json-object.ts';

/** The list requests that a stand-in can answer, and the notification that announces a change of each list. */
export const LISTS = {
  'tools/list': { field: 'tools', capability: 'tools', changed: 'notifications/tools/list_changed' },
  'prompts/list': { field: 'prompts', capability: 'prompts', changed: 'notifications/prompts/list_changed' },
  'resources/list': {
    field: 'resources',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
  },
  'resources/templates/list': {
    field: 'resourceTemplates',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
  },
} as const;

/** The method of a list request. */
export type ListMethod = keyof typeof LISTS;

/** Whether the method is one of `LISTS`. */
export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(LISTS, method);
}

/**
 * Whether the result of such a request contains the required list (specification, `ListToolsResult` and similar types). A result with another `resultType` than
 * `complete` (specification 2026-07-28, Base Protocol → Results) is something else.
 */
export function isListResult(method: ListMethod, result: unknown): boolean {
  if (!isObject(result)) return false;
  if (typeof result.resultType === 'string' && result.resultType !== 'complete') return true;
  return Array.isArray(result[LISTS[method].field]);
}
