import type { DpopProofs, TokenBinding } from '../../protocol/access-token.ts';
import type { DpopKey, NewRecord } from '../../store/record/record.ts';
import { makeDpopKey, thumbprint } from './key.ts';
import { type DpopInputs, decideBinding } from './policy.ts';
import { createDpopProofs, type DpopProofDeps } from './proof.ts';

/** The key to which the tokens of one login are bound, if any. */
export type Binding =
  | {
      readonly kind: 'bound';
      readonly key: DpopKey;
      readonly dpopProofs: DpopProofs;
      /** A bearer token is not accepted. */
      readonly only: boolean;
    }
  | { readonly kind: 'bearer'; readonly wanted: boolean };

/** `known`: the key of the login being renewed; a sign-in creates its own. Throws DpopError. */
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

/** RFC 9449 §10: the code can be used only with this key. */
export function keyThumbprint(binding: Binding): string | undefined {
  return binding.kind === 'bound' ? thumbprint(binding.key) : undefined;
}

/** §5: a refresh token may be bound even if the access token is not, so the key is always kept. */
export function recordedBinding(binding: Binding): Pick<NewRecord, 'dpopKey' | 'withoutDpop'> {
  if (binding.kind === 'bound') return { dpopKey: binding.key };
  return binding.wanted ? { withoutDpop: true } : {};
}
