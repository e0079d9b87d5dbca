import type { Collection } from '../figures.ts';
import { BRIDGE, type Target } from '../rows.ts';

export interface ProbeResult {
  readonly target: Target;
  readonly value: number;
  readonly met: boolean;
}

/** The medians against the targets; a target without its figures was not measured and is left out. */
export function judge(collection: Collection, targets: readonly Target[]): ProbeResult[] {
  return targets.flatMap((target) => {
    const own = collection.spread(BRIDGE, target.name)?.median;
    const { against } = target;
    const other = against === undefined ? 1 : collection.spread(against.subject, against.name)?.median;
    if (own === undefined || other === undefined) return [];
    const value = own / (other + (target.allowance ?? 0));
    return [{ target, value, met: target.is === 'at most' ? value <= target.bound : value >= target.bound }];
  });
}
