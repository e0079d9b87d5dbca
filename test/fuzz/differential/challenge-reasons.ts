import type { Library } from './case.ts';
import type { Reason } from './reason.ts';

const SDKS: readonly Library[] = ['sdk 1', 'sdk 2'];
const STRICT: readonly Library[] = ['oauth4webapi'];
const FIELDS = ['resource_metadata', 'scope', 'error'];
const NONE = /^\(none\)$/;

const about = ['challenge'] as const;

const BEFORE = [
  'before: another challenge',
  'before: another challenge with the same names',
  'before: a token68',
  'before: our names within a value of Basic',
];

export const CHALLENGE_REASONS: readonly Reason[] = [
  {
    about,
    libraries: SDKS,
    features: BEFORE,
    difference: { fields: FIELDS, theirs: NONE },
    why: 'They read a header only if its first challenge is theirs. RFC 9110 §11.6.1: a list of challenges, in any order.',
  },
  {
    about,
    libraries: ['sdk 1'],
    features: ['scheme: DPoP'],
    unless: BEFORE,
    difference: { fields: FIELDS, theirs: NONE },
    why: 'It knows Bearer alone. RFC 9449 §7.1: such a challenge has the same parameters.',
  },
  {
    about,
    libraries: SDKS,
    features: ['names: in capitals'],
    unless: BEFORE,
    difference: { fields: FIELDS, theirs: /^(\(none\)|again)$/ },
    why: 'RFC 9110 §11.2: the names of parameters have no case.',
  },
  {
    about,
    libraries: SDKS,
    features: ['error: escaped'],
    difference: { fields: ['error'], theirs: /\\/ },
    why: 'They keep the backslash. RFC 9110 §5.6.4: a quoted pair stands for its character.',
  },
  {
    about,
    libraries: SDKS,
    features: ['scope: empty'],
    difference: { fields: ['scope'], theirs: /^""$/ },
    why: 'They take the two quotes for the scope. RFC 9110 §5.6.4: an empty quoted string; RFC 6749 §3.3: no scope.',
  },
  {
    about,
    libraries: ['sdk 1'],
    features: ['error: with spaces around'],
    unless: [...BEFORE, 'scheme: DPoP'],
    difference: { fields: ['error'], theirs: NONE },
    why: 'RFC 9110 §11.2 and §5.6.3: white space around the equals sign is bad, and has to be read.',
  },
  {
    about,
    libraries: ['sdk 2'],
    features: ['error: with spaces around'],
    unless: BEFORE,
    difference: { fields: ['error'], theirs: NONE },
    why: 'RFC 9110 §11.2 and §5.6.3: white space around the equals sign is bad, and has to be read.',
  },
  {
    about,
    libraries: SDKS,
    features: ['before: a name that ends alike'],
    difference: { fields: ['scope'], theirs: /^admin$/ },
    why: 'They find the name at the end of another one, x-scope. RFC 9110 §11.2: a name is a whole token.',
  },
  {
    about,
    libraries: STRICT,
    features: ['before: a name that ends alike'],
    difference: { fields: FIELDS, theirs: NONE },
    why: 'It leaves the choice among several Bearer challenges to the application, which takes the first; we take the one that names its metadata (RFC 9728 §5.1).',
  },
  {
    about,
    libraries: STRICT,
    features: ['after: the scope again'],
    difference: { fields: ['scope'], theirs: /^again$/ },
    why: 'Of a name that comes twice, which RFC 9110 §11.2 forbids, it takes the last, the SDKs and we the first.',
  },
  {
    about,
    libraries: STRICT,
    features: [
      'resource_metadata: without quotes',
      'resource_metadata: in single quotes',
      'after: a quote that never ends',
      'after: what is no token',
    ],
    difference: { stricter: 'theirs', says: /^not a challenge$/ },
    why: 'It gives up the whole header for one parameter that RFC 9110 §11.2 does not have; servers write addresses without quotes, and what was well-formed is meant all the same.',
  },
];
