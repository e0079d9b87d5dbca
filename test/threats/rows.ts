const AUTHORIZATION = 'integration/threats/authorization';
const PARTIES = 'integration/threats/parties';
const PROCESS = 'process/threats/threats';
const STORM = 'process/storm/secrets';
const SIGN_IN = 'integration/auth/sign-in/sign-in';
const ENGINE_AWAY = 'integration/store/redis/away';

/** A row of the threats, and the tests that hold it off: each by its file and by a part of its full name, `%s` and `$name` as in the source. */
export type ThreatRow = readonly [row: number, ...tests: readonly (readonly [file: string, name: string])[]];

/** Which tests hold each attack off. The run itself is asked whether they were there and passed (`threats-reporter.ts`). */
export const ATTACKS: readonly ThreatRow[] = [
  [1, [AUTHORIZATION, 'addresses that may not be opened'], [PROCESS, 'reads as a flag or a program']],
  [
    2,
    [PROCESS, 'shell metacharacters in the address'],
    ['integration/platform/browser', 'and no shell (SECURITY.md, attacks 2, 4)'],
  ],
  [3, [AUTHORIZATION, 'verification_uri %j'], [PROCESS, 'reads as a flag or a program']],
  [
    4,
    [PROCESS, 'SECURITY.md, attacks 2, 4, 5, 14'],
    ['process/sign-in/sign-in-process', 'sign-in process see a secret'],
  ],
  [
    5,
    [PROCESS, 'SECURITY.md, attacks 2, 4, 5, 14'],
    ['process/sign-in/sign-in-process', 'a chatty browser is not heard'],
  ],
  [6, [PARTIES, 'SECURITY.md, attack 6'], ['integration/auth/discovery', 'an unexpected issuer']],
  [7, [PARTIES, 'SECURITY.md, attack 7'], [SIGN_IN, 'is not redeemed and its text not shown']],
  [8, [PARTIES, 'SECURITY.md, attack 8'], ['integration/auth/discovery', 'metadata for another resource']],
  [9, [AUTHORIZATION, 'SECURITY.md, attack 9']],
  [
    10,
    [AUTHORIZATION, 'SECURITY.md, attack 10'],
    ['integration/auth/discovery', 'PKCE stripped from the metadata'],
  ],
  [11, ['integration/auth/guarded-fetch', 'a resolver that flips to 169.254.169.254']],
  [12, [AUTHORIZATION, '%s over http'], ['unit/auth/http/url-policy', 'SECURITY.md, attacks 1, 3, 12']],
  [13, ['integration/threats/redirects', 'the stranger sees nothing']],
  [14, [AUTHORIZATION, 'each secret at its own origin'], [PROCESS, 'SECURITY.md, attacks 2, 4, 5, 14']],
  [15, [PROCESS, 'SECURITY.md, attack 15'], ['integration/auth/guarded-fetch', 'oversized documents']],
  [16, [PROCESS, 'SECURITY.md, attack 16']],
  [
    17,
    ['integration/threats/transport', 'SECURITY.md, attack 17'],
    ['integration/threats/deep-json', 'SECURITY.md, attack 17'],
    ['integration/auth/guarded-fetch', '200,000 levels of nesting'],
  ],
  [18, [AUTHORIZATION, 'SECURITY.md, attack 18']],
  [19, ['unit/protocol/www-authenticate', 'SECURITY.md, attack 19'], ['unit/fuzz', 'is read within 10 ms']],
  [20, ['integration/threats/transport', 'SECURITY.md, attack 20']],
  [21, ['integration/threats/transport', 'SECURITY.md, attack 21']],
  [22, ['integration/threats/headers', 'SECURITY.md, attack 22']],
  [
    23,
    [PARTIES, 'SECURITY.md, attack 23'],
    ['integration/auth/sign-in/step-up', '2 tabs for an operation, 3 in ten minutes'],
  ],
  [24, ['integration/threats/texts', 'SECURITY.md, attack 24'], [PROCESS, 'SECURITY.md, attack 24']],
  [25, ['integration/threats/tokens', 'SECURITY.md, attack 25']],
  [26, ['integration/threats/tokens', 'SECURITY.md, attack 26']],
  [27, ['integration/threats/callback', 'SECURITY.md, attack 27']],
  [
    28,
    ['integration/threats/callback', 'SECURITY.md, attack 28'],
    [SIGN_IN, 'fifty forgeries change nothing'],
  ],
  [29, ['integration/threats/callback', 'SECURITY.md, attack 29'], [SIGN_IN, 'a callback works once']],
  [
    30,
    ['integration/threats/callback', 'SECURITY.md, attack 30'],
    ['process/sign-in/pages', 'in a real browser'],
  ],
  [
    31,
    ['integration/threats/callback', 'SECURITY.md, attack 31'],
    ['integration/platform/loopback-listener', 'SECURITY.md, attack 31'],
    ['process/sign-in/pages', 'cannot send requests in the background'],
  ],
  [
    32,
    ['integration/threats/callback', 'SECURITY.md, attack 32'],
    ['integration/platform/loopback-listener', 'SECURITY.md, attack 32'],
  ],
  [33, [STORM, 'no file is open to others (umask $umask)']],
  [
    34,
    ['integration/platform/log-sink', 'SECURITY.md, attack 34'],
    ['integration/store/store', 'a link planted where the record will be'],
  ],
  [
    35,
    [SIGN_IN, 'a port fixed by the user that is taken'],
    ['integration/platform/loopback-listener', 'SECURITY.md, attack 35'],
  ],
  [36, [STORM, 'instances meet only through files']],
  [37, ['integration/auth/authorization', "another server's record under this key"]],
  [38, [STORM, 'a hostile record (%s) is set aside']],
  [39, ['integration/auth/refresh/refresh-processes', 'an owner that is suspended is never overtaken']],
  [40, [STORM, 'no secret leaves its place'], ['unit/config/sources/headers', 'SECURITY.md, attack 40']],
  [41, ['integration/platform/log-sink', 'SECURITY.md, attack 41'], [STORM, 'no secret leaves its place']],
  [
    42,
    ['process/commands/cli', 'SECURITY.md, attacks 41, 42'],
    ['unit/config/sources/headers', 'SECURITY.md, attack 42'],
  ],
  [
    43,
    ['integration/platform/desktop-session', 'is a link to one'],
    ['integration/platform/desktop-session', "another user's sockets and folders"],
  ],
  [44, ['integration/store/pointer', "another user's pointer"]],
  [
    45,
    [ENGINE_AWAY, 'a hostile server'],
    ['integration/store/redis/bundled', 'costs no memory'],
    ['unit/store/redis/reply-guard', 'refused'],
  ],
  [
    46,
    [ENGINE_AWAY, 'gets no password'],
    [ENGINE_AWAY, 'not without TLS'],
    ['unit/protocol/store-url', 'which hosts are not this machine'],
  ],
  [
    47,
    ['integration/store/redis/threats', 'SECURITY.md, attack 47'],
    ['integration/store/shared/shared-store', 'what was changed on the engine'],
  ],
  [
    48,
    ['integration/keychain/docker-credentials', 'is not taken from the current folder'],
    ['integration/keychain/secret-service', 'finds the D-Bus where a host'],
  ],
  [
    49,
    ['integration/keychain/other-systems', 'shows it to no other process'],
    ['integration/keychain/docker-credentials', 'is quoted without them'],
  ],
  [
    50,
    ['unit/config/store-config', 'without a key there is no shared store'],
    ['unit/config/store-config', 'goes into the private file of the entry'],
    ['process/store/shared', 'a wrong key'],
  ],
];
