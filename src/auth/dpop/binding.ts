import type { DpopProofs, TokenBinding } from '../../protocol/access-token.ts';
import type { DpopKey, NewRecord } from '../../store/record/record.ts';
import { makeDpopKey, thumbprint } from './key.ts';
import { type DpopInputs, decideBinding } from './policy.ts';
import { createDpopProofs, type DpopProofDeps } from './proof.ts';

/** What the tokens of one login are bound to, if to anything. */
export type Binding =
  | {
      readonly kind: 'bound';
      readonly key: DpopKey;
      readonly dpopProofs: DpopProofs;
      /** A bearer token will not do. */
      readonly only: boolean;
    }
  | { readonly kind: 'bearer'; readonly wanted: boolean };

/** `known`: the key of the login that is renewed; a sign-in makes its own. Throws DpopError. */
export async function bindingFor(
  situation: DpopInputs,
  deps: DpopProofDeps,
  known?: DpopKey,
): Promise<Binding> {
  const choice = decideBinding(situation);
  if (choice.kind === 'bearer') return choice;
  const key = known?.alg === choice.alg ? known : await makeDpopKey(choice.alg);
  return { kind: 'bound', key, dpopProofs: createDpopProofs(key, deps), only: situation.mode === 'always' };
}

export function tokenBinding(binding: Binding): TokenBinding | undefined {
  return binding.kind === 'bound' ? binding : undefined;
}

/** RFC 9449 §10: the code is worth something with this key alone. */
export function keyThumbprint(binding: Binding): string | undefined {
  return binding.kind === 'bound' ? thumbprint(binding.key) : undefined;
}

/** §5: a refresh token may be bound where the access token is not, so the key is kept whatever came. */
export function recordedBinding(binding: Binding): Pick<NewRecord, 'dpopKey' | 'withoutDpop'> {
  if (binding.kind === 'bound') return { dpopKey: binding.key };
  return binding.wanted ? { withoutDpop: true } : {};
}
