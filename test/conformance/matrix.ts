import type { HostName } from './hosts.ts';

export interface Matrix {
  readonly hosts: readonly HostName[];
  readonly requirements: readonly string[];
  /** Parts of scenario names; empty: all. */
  readonly only: readonly string[];
  readonly without: readonly string[];
}

export interface Pair {
  readonly host: HostName;
  readonly scenario: string;
  /** The wire that the scenario runs at. */
  readonly revision: string;
}

/** What the suite asks of clients of older servers; no set of requirements names it. */
const BACK_COMPATIBILITY = [
  'auth/2025-03-26-oauth-metadata-backcompat',
  'auth/2025-03-26-oauth-endpoint-fallback',
];
const BACK_COMPATIBILITY_REVISION = '2025-03-26';

/** The authorization extensions that this program speaks; they belong to no revision. */
const EXTENSIONS = [
  'auth/client-credentials-basic',
  'auth/client-credentials-jwt',
  'auth/dpop',
  'auth/dpop-nonce',
  'auth/enterprise-managed-authorization',
  'auth/wif-jwt-bearer',
];

/**
 * Pairs that cannot be. `request-metadata` asks for the header `MCP-Protocol-Version` and the modern `_meta` on the very first message, and
 * the first message of a legacy host is its `initialize`, which goes out as the host wrote it (src/README.md, "The two eras").
 */
function makesSense({ host, scenario }: Pair): boolean {
  return scenario !== 'request-metadata' || host === '2026';
}

/** Each scenario that the suite requires, with each host. */
export async function matrix(
  { hosts, requirements, only, without }: Matrix,
  ask: (args: readonly string[]) => Promise<string>,
): Promise<Pair[]> {
  const scenarios: Omit<Pair, 'host'>[] = [];
  for (const revision of requirements) {
    const listed = required(await ask(['list', '--client', '--requirements', revision]));
    if (listed.length === 0) throw new Error(`the suite names no client scenarios for ${revision}`);
    scenarios.push(...listed.map((scenario) => ({ scenario, revision })));
  }
  if (requirements.includes('2025-11-25')) {
    const revision = BACK_COMPATIBILITY_REVISION;
    scenarios.push(...BACK_COMPATIBILITY.map((scenario) => ({ scenario, revision })));
  }
  if (requirements.includes('2025-11-25')) {
    scenarios.push(...EXTENSIONS.map((scenario) => ({ scenario, revision: '2025-11-25' })));
  }
  return scenarios
    .filter(({ scenario }) => only.length === 0 || only.some((part) => scenario.includes(part)))
    .filter(({ scenario }) => !without.some((part) => scenario.includes(part)))
    .flatMap((scenario) => hosts.map((host) => ({ ...scenario, host })))
    .filter(makesSense);
}

/** The client scenarios of `conformance list --requirements`, without those that are run and never scored. */
function required(list: string): string[] {
  const [, section = ''] = list.split('Client scenarios');
  const [scored = ''] = section.split('Run and reported');
  return Array.from(scored.matchAll(/^\s+- (\S+)/gm), ([, name]) => name as string);
}
