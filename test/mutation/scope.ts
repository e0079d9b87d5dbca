/** Source files that are mutated together, and the tests that must notice each mutant. All are globs from the root of the repository. */
export interface Part {
  readonly name: string;
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

/** The environment variable by which the test runner's process learns which tests belong to the part. */
export const TESTS_VARIABLE = 'MUTATION_TESTS';

/** The most important decisions come first. A part's tests are few on purpose: a mutant in a module's constants is run against all of them. */
export const PARTS: readonly Part[] = [
  {
    name: 'what is sent again',
    sources: ['src/bridge/relay/retry-decision.ts'],
    tests: ['test/unit/bridge/relay/*.test.ts'],
  },
  {
    name: 'refresh',
    sources: ['src/auth/refresh/decisions.ts', 'src/auth/refresh/expiry.ts'],
    tests: ['test/unit/auth/refresh/*.test.ts'],
  },
  {
    name: 'refusals',
    sources: ['src/remote/http/refusal.ts', 'src/remote/http/backoff.ts'],
    tests: ['test/unit/remote/http/*.test.ts'],
  },
  {
    name: 'session',
    sources: ['src/bridge/session/lifecycle.ts', 'src/bridge/session/first-contact.ts'],
    tests: ['test/unit/bridge/session/*.test.ts'],
  },
  {
    name: 'redaction',
    sources: ['src/redaction/*.ts'], // Without the tests of what it costs, which take seconds each.
    tests: ['test/unit/redaction/!(redactor-cost).test.ts'],
  },
  {
    name: 'issuer, resource and metadata',
    sources: ['src/auth/discovery/{issuer,resource,well-known,metadata}.ts'],
    tests: ['test/unit/auth/discovery/*.test.ts'],
  },
  {
    name: 'callback',
    sources: ['src/auth/callback/authorization-response.ts'],
    tests: ['test/unit/auth/callback/*.test.ts'],
  },
  {
    name: 'addresses',
    sources: ['src/auth/http/address-*.ts', 'src/auth/http/url-policy.ts'],
    tests: ['test/unit/auth/http/*.test.ts'],
  },
  {
    name: 'tokens and challenges',
    sources: [
      'src/auth/token/token-response.ts',
      'src/auth/challenge/*.ts',
      'src/auth/credential/step-up.ts',
      'src/auth/dpop/policy.ts',
    ],
    tests: ['test/unit/auth/{token,challenge,credential,dpop}/*.test.ts'],
  },
  {
    name: 'locks and reservations',
    sources: ['src/store/lock/*.ts', 'src/store/reservation/*.ts'],
    // Not store.test.ts: it sets the umask, which the threads of Stryker's runner may not. Nor lock-race.test.ts, which takes ten seconds.
    tests: [
      'test/integration/store/lock/lock-file.test.ts',
      'test/integration/store/{reservation,response-file}.test.ts',
    ],
  },
  {
    name: 'records',
    sources: ['src/store/record/*.ts'],
    tests: [
      'test/unit/store/record/*.test.ts',
      'test/integration/store/{mcp-remote,set-aside,rewrite-file}.test.ts',
      'test/integration/store/sealing/{sealed-store,seal-folder}.test.ts',
    ],
  },
  {
    name: 'the store that machines share',
    sources: ['src/store/shared/protocol/{decisions,rank,times}.ts'],
    tests: ['test/unit/store/shared/*.test.ts'],
  },
  { name: 'messages', sources: ['src/protocol/**/*.ts'], tests: ['test/unit/protocol/**/*.test.ts'] },
  {
    name: 'eras',
    sources: ['src/eras/message/probe-classifier.ts'],
    tests: ['test/unit/eras/message/*.test.ts'],
  },
  {
    name: 'waiting',
    sources: ['src/bridge/timing/{host-profile,wait-budget,wake-detector}.ts'],
    tests: ['test/unit/bridge/timing/*.test.ts'],
  },
  {
    name: 'stand-in',
    sources: ['src/bridge/stand-in/*.ts'],
    tests: ['test/unit/bridge/stand-in/*.test.ts'],
  },
];
