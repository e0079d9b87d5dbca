/** What a server may ask of a host, and the capability by which the host says so (specification, Lifecycle → Capability Negotiation). */
const CAPABILITY_OF: ReadonlyMap<string, string> = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
  ['tasks/get', 'tasks'],
  ['tasks/result', 'tasks'],
  ['tasks/list', 'tasks'],
  ['tasks/cancel', 'tasks'],
]);

/** The capability that this request of a server needs and the host has not declared; undefined: the host may see it (.github/SECURITY.md, attack 21). */
export function missingCapability(method: string, capabilities: unknown): string | undefined {
  const needed = CAPABILITY_OF.get(method);
  if (needed === undefined) return undefined;
  const declared =
    typeof capabilities === 'object' && capabilities !== null && Object.hasOwn(capabilities, needed)
      ? (capabilities as Readonly<Record<string, unknown>>)[needed]
      : undefined;
  return typeof declared === 'object' && declared !== null ? undefined : needed;
}

/** Why a request was refused in the host's name. */
export function missingCapabilityReason(capability: string): string {
  return `Method not found: the host has not declared the capability ${capability}.`;
}
