import type { Survivor } from './survivors.ts';

/** What survives in `src/auth/`, with the reasons. */
export const AUTH_SURVIVORS: readonly Survivor[] = [
  {
    file: 'src/auth/challenge/scope.ts',
    line: 'const tokens = new Set(scope.split(/\\s+/).filter((token) => SCOPE_TOKEN.test(token)));',
    mutated: ['const tokens = new Set(scope.split(/\\s/).filter((token) => SCOPE_TOKEN.test(token)));'],
    reason: 'The empty texts between two blanks are no scope tokens.',
  },
  {
    file: 'src/auth/credential/step-up.ts',
    line: `return (cleanScope(wanted) ?? '').split(' ').every((scope) => has.has(scope));`,
    mutated: [
      `return (cleanScope(wanted) ?? "Stryker was here!").split(' ').every((scope) => has.has(scope));`,
    ],
    reason: 'No granted scope is called so.',
  },
  {
    file: 'src/auth/credential/step-up.ts',
    line: `const scope = cleanScope([granted, asked, wanted].filter((part) => part !== undefined).join(' '));`,
    mutated: [
      `const scope = cleanScope([granted, asked, wanted].join(' '));`,
      `const scope = cleanScope([granted, asked, wanted].filter((part) => true).join(' '));`,
    ],
    reason: '`join` makes an empty text of undefined, which is no scope; the filter says what is meant.',
  },
  {
    file: 'src/auth/credential/step-up.ts',
    line: 'const recent = (record.stepUps ?? []).filter((at) => at <= now && now - at < WINDOW_MS);',
    mutated: [
      'const recent = (record.stepUps ?? ["Stryker was here"]).filter((at) => at <= now && now - at < WINDOW_MS);',
    ],
    reason: 'A text is not at or before now: it is filtered out like nothing.',
  },
  {
    file: 'src/auth/credential/step-up.ts',
    line: `return { kind: 'refuse', error: new ScopeRefusedError(message, hint === undefined ? {} : { hint }) };`,
    mutated: [`return { kind: 'refuse', error: new ScopeRefusedError(message, false ? {} : { hint }) };`],
    reason: 'A hint that is undefined is no hint; the types want it left out.',
  },
  {
    file: 'src/auth/dpop/policy.ts',
    line: 'const takers = [offered ?? [], challenge.dpop?.algs, found.resourceDpopAlgs];',
    mutated: [
      'const takers = [offered ?? ["Stryker was here"], challenge.dpop?.algs, found.resourceDpopAlgs];',
    ],
    reason: 'No algorithm of ours is called so.',
  },
  {
    file: 'src/auth/token/token-response.ts',
    line: `return typeof fields === 'object' && fields !== null ? new Map(Object.entries(fields)) : undefined;`,
    mutated: [`return typeof fields === 'object' && true ? new Map(Object.entries(fields)) : undefined;`],
    reason: 'A text that begins with a brace is never parsed to null; the types cannot know.',
  },
  {
    file: 'src/auth/token/token-response.ts',
    line: `tokenType: typeof tokenType === 'string' && /^dpop$/i.test(tokenType) ? 'DPoP' : 'Bearer',`,
    mutated: [`tokenType: true && /^dpop$/i.test(tokenType) ? 'DPoP' : 'Bearer',`],
    reason: 'Only a usable type comes this far: a text, or nothing, which does not match either.',
  },
  {
    file: 'src/auth/token/token-response.ts',
    line: `const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;`,
    mutated: [
      `const seconds = typeof value === 'string' && true ? Number(value) : value;`,
      `const seconds = typeof value === 'string' && value !== '' ? Number(value) : value;`,
      `const seconds = typeof value === 'string' && value.trim() !== "Stryker was here!" ? Number(value) : value;`,
    ],
    reason: 'A text of blanks is the number 0, which counts as not said.',
  },
  {
    file: 'src/auth/discovery/issuer.ts',
    line: `const [before = '', after, ...more] = template.split('{tenantid}');`,
    mutated: [`const [before = "Stryker was here!", after, ...more] = template.split('{tenantid}');`],
    reason: '`split` always gives a first part; the types cannot know.',
  },
  {
    file: 'src/auth/discovery/issuer.ts',
    line: 'if (after === undefined || more.length > 0) return false;',
    mutated: ['if (false || more.length > 0) return false;'],
    reason: 'Without a placeholder nothing is left between the two ends, and the last check fails.',
  },
  {
    file: 'src/auth/discovery/issuer.ts',
    line: 'if (issuer.length <= before.length + after.length) return false;',
    mutated: [
      'if (false) return false;',
      'if (issuer.length < before.length + after.length) return false;',
      'if (issuer.length <= before.length - after.length) return false;',
    ],
    reason: 'Where the ends overlap nothing is left between them, and the last check fails.',
  },
  {
    file: 'src/auth/discovery/metadata.ts',
    line: `throw missing(result.error.issues[0]?.path.join('.') ?? '', what);`,
    mutated: [
      `throw missing(result.error.issues[0]?.path.join('.') ?? "Stryker was here!", what);`,
      `throw missing(result.error.issues[0].path.join('.') ?? '', what);`,
    ],
    reason: 'A failure always has an issue; the types cannot know.',
  },
  {
    file: 'src/auth/http/address-policy.ts',
    line: `const reach = () => byName ?? seen ?? 'public';`,
    mutated: ['const reach = () => byName ?? seen ?? "";'],
    reason: 'Whatever is neither loopback nor private leads to public addresses alone, as public does.',
  },
  {
    file: 'src/auth/http/address-policy.ts',
    line: 'if (seen === undefined || OPENNESS.indexOf(target) > OPENNESS.indexOf(seen)) seen = target;',
    mutated: [
      'if (false || OPENNESS.indexOf(target) > OPENNESS.indexOf(seen)) seen = target;',
      'if (seen === undefined || OPENNESS.indexOf(target) >= OPENNESS.indexOf(seen)) seen = target;',
    ],
    reason: 'Nothing seen has the index -1, below all others; the same again changes nothing.',
  },
  {
    file: 'src/auth/http/address-policy.ts',
    line: `const OPENNESS: readonly Reach[] = ['loopback', 'link-local', 'private', 'public'];`,
    mutated: [`const OPENNESS: readonly Reach[] = ["", 'link-local', 'private', 'public'];`],
    reason: 'The index -1 is below the others too.',
  },
  {
    file: 'src/auth/http/address-policy.ts',
    line: 'if (target === undefined || bare(hostname) === own) return true;',
    mutated: ['if (target === undefined || false) return true;'],
    reason: 'An address may lead to itself by the last rule too.',
  },
  {
    file: 'src/auth/http/address-policy.ts',
    line: `return hostname.replace(/^\\[|\\]$|\\.$/g, '').toLowerCase();`,
    mutated: [`return hostname.replace(/^\\[|\\]$|\\.$/g, '').toUpperCase();`],
    reason: 'Both sides of each comparison are spelt the same way.',
  },
  {
    file: 'src/auth/http/address-policy.ts',
    line: `return hostname.replace(/^\\[|\\]$|\\.$/g, '').toLowerCase();`,
    mutated: [
      `return hostname.replace(/\\[|\\]$|\\.$/g, '').toLowerCase();`,
      `return hostname.replace(/^\\[|\\]|\\.$/g, '').toLowerCase();`,
    ],
    reason: 'A host name has brackets at its ends or none.',
  },
  {
    file: 'src/auth/http/address-reach.ts',
    line: `const [head = '', tail] = text.split('::');`,
    mutated: [`const [head = "Stryker was here!", tail] = text.split('::');`],
    reason: '`split` always gives a first part; the types cannot know.',
  },
  {
    file: 'src/auth/http/address-reach.ts',
    line: `if (own !== 'private') return own;`,
    mutated: ['if (false) return own;'],
    reason: 'What is public or link-local has no other form, and loopback is loopback in both.',
  },
  {
    file: 'src/auth/http/address-reach.ts',
    line: `const text = address.replace(/%.*$/s, '').replace(/(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$/, (_, ...parts) => {`,
    mutated: [
      `const text = address.replace(/%.*/s, '').replace(/(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$/, (_, ...parts) => {`,
      `const text = address.replace(/%.*$/s, '').replace(/(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)/, (_, ...parts) => {`,
    ],
    reason: 'The zone reaches to the end anyway, and an IPv4 address stands nowhere else.',
  },
  {
    file: 'src/auth/http/address-reach.ts',
    line: 'const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);',
    mutated: ['const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);'],
    reason: 'What follows the four parts is not taken.',
  },
  {
    file: 'src/auth/http/address-reach.ts',
    line: 'return [];',
    mutated: ['return ["Stryker was here"];'],
    reason: 'A text that is no address is in no list.',
  },
  {
    file: 'src/auth/refresh/decisions.ts',
    line: `return { kind: 'postponed', afterMs, outcome: record.lastRefresh?.outcome ?? '' };`,
    mutated: [
      `return { kind: 'postponed', afterMs, outcome: record.lastRefresh?.outcome ?? "Stryker was here!" };`,
      `return { kind: 'postponed', afterMs, outcome: record.lastRefresh.outcome ?? '' };`,
    ],
    reason: 'A pause comes from a last refresh, which then is there; the types cannot know.',
  },
  {
    file: 'src/auth/refresh/decisions.ts',
    line: 'const refreshToken = record.tokens?.refreshToken;',
    mutated: ['const refreshToken = record.tokens.refreshToken;'],
    reason: 'That there are tokens was seen two lines above; the types cannot know.',
  },
  {
    file: 'src/auth/refresh/decisions.ts',
    line: `const isServers = status >= 500 || PASSING_STATUS.has(status) || SERVER_CODES.has(oauthError ?? '');`,
    mutated: [
      'const isServers = status >= 500 || PASSING_STATUS.has(status) || SERVER_CODES.has(oauthError ?? "Stryker was here!");',
    ],
    reason: 'No code of a server is called so.',
  },
  {
    file: 'src/auth/refresh/expiry.ts',
    line: `if (expiresAt === undefined) return 'fresh';`,
    mutated: [`if (false) return 'fresh';`],
    reason: 'Nothing is before or after undefined: the last line says fresh too.',
  },
  {
    file: 'src/auth/refresh/expiry.ts',
    line: `if (lifetimeMs <= 0 || now < obtainedAt) return 'fresh';`,
    mutated: [
      `if (lifetimeMs <= 0 || false) return 'fresh';`,
      `if (lifetimeMs <= 0 || now <= obtainedAt) return 'fresh';`,
    ],
    reason:
      'Before its first moment a token is further from its end than any lead time, half its life at most; the check says what is meant.',
  },
];
