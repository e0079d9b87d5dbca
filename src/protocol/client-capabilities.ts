/** The requests that a server may send to a host, and the capability that each needs (specification, Lifecycle → Capability Negotiation). */
const CAPABILITY_OF: ReadonlyMap<string, string> = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
  ['tasks/get', 'tasks'],
  ['tasks/result', 'tasks'],
  ['tasks/list', 'tasks'],
  ['tasks/cancel', 'tasks'],
]);

/**
 * The capability that this request of a server needs and the host has not declared; undefined if the request may go to the host
 * (.github/SECURITY.md, attack 21).
 */
export function missingCapability(method: string, capabilities: unknown): string | undefined {
  const needed = CAPABILITY_OF.get(method);
  if (needed === undefined) return undefined;
  const declared =
    typeof capabilities === 'object' && capabilities !== null && Object.hasOwn(capabilities, needed)
      ? (capabilities as Readonly<Record<string, unknown>>)[needed]
      : undefined;
  return typeof declared === 'object' && declared !== null ? undefined : needed;
}

/** The message with which the bridge refuses such a request on behalf of the host. */
export function missingCapabilityReason(capability: string): string {
  return `Method not found: the host has not declared the capability ${capability}.`;
}
