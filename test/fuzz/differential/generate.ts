import { Dice } from '../../storm/random.ts';
import type { Case, DocumentCase, Feature } from './case.ts';
import { ISSUER } from './case.ts';
import { asJson, type Draft } from './documents.ts';
import { AUTHORIZATION_FEATURES, PLAIN_AUTHORIZATION } from './features/authorization-features.ts';
import { CHALLENGE_FEATURES, PLAIN_CHALLENGE, writeHeader } from './features/challenge-features.ts';
import { PLAIN_RESOURCE, RESOURCE_FEATURES } from './features/resource-features.ts';

/** In all 200. */
const HOW_MANY = { resource: 65, authorization: 85, challenge: 50 };
const SEED = 8414;
const MOST_FEATURES = 3;

/** The same cases in each run: a plain one, one for each feature, and then features together. */
export function generateCases(): Case[] {
  const dice = new Dice(SEED);
  const resource = choices(RESOURCE_FEATURES, HOW_MANY.resource, dice).map((features): DocumentCase => {
    const { members, text } = draft(PLAIN_RESOURCE, features);
    const named: unknown = Array.isArray(members.authorization_servers)
      ? members.authorization_servers[0]
      : ISSUER;
    return {
      about: 'resource',
      features: features.map(({ name }) => name),
      resource: text(members),
      // Well-behaved, whoever is asked: how far one gets is the resource metadata's doing alone.
      authorization: asJson({ ...PLAIN_AUTHORIZATION, issuer: named ?? ISSUER }),
    };
  });
  const authorization = choices(AUTHORIZATION_FEATURES, HOW_MANY.authorization, dice).map(
    (features): DocumentCase => {
      const { members, text } = draft(PLAIN_AUTHORIZATION, features);
      return {
        about: 'authorization',
        features: features.map(({ name }) => name),
        resource: asJson(PLAIN_RESOURCE),
        authorization: text(members),
      };
    },
  );
  const challenge = choices(CHALLENGE_FEATURES, HOW_MANY.challenge, dice).map(
    (features): Case => ({
      about: 'challenge',
      features: features.map(({ name }) => name),
      header: writeHeader(features.reduce((at, { apply }) => apply(at), PLAIN_CHALLENGE)),
    }),
  );
  return [...resource, ...authorization, ...challenge];
}

function draft(plain: Draft['members'], features: readonly Feature<Draft>[]): Draft {
  return features.reduce<Draft>((at, { apply }) => apply(at), { members: plain, text: asJson });
}

function choices<T>(features: readonly Feature<T>[], count: number, dice: Dice): (readonly Feature<T>[])[] {
  const alone = features.map((one) => [one]);
  const together = Array.from({ length: count - alone.length - 1 }, () => combination(features, dice));
  return [[], ...alone, ...together];
}

/** In the order of the list, so that a second `part` never undoes a first. */
function combination<T>(features: readonly Feature<T>[], dice: Dice): readonly Feature<T>[] {
  const byPart = new Map<string, Feature<T>>();
  for (let left = dice.between(2, MOST_FEATURES); left > 0; left--) {
    const one = dice.pick(features);
    byPart.set(one.part, one);
  }
  return features.filter((one) => byPart.get(one.part) === one);
}
