import { type AppliedChange, type Change, changesFor } from './changes.ts'
import { decide, decideAndCount } from './evaluate.ts'
import type { AccessRequest } from './request.ts'

export type { Change } from './changes.ts'

/**
 * What all trials together may take, as `ConditionContext.spend` counts it: a few times as much as one decision may.
 * Others wait meanwhile, and the policies and the request can be somebody's who wants them to.
 */
const workMax = 256 * 1024 * 1024

/**
 * The smallest changes by which a denied request would be allowed, each verified by the evaluator: single facts or,
 * when no single one suffices, pairs. Empty for an allowed request, where it takes more than two changes or no policy
 * can allow it, and where nothing was found before it took too long.
 */
export function wouldAllow(request: AccessRequest): readonly (readonly Change[])[] {
  let work = 0
  const allows = (changed: AccessRequest): boolean => {
    if (work > workMax) return false
    const counted = decideAndCount(changed)
    work += counted.work
    return counted.decision.allowed
  }
  const decision = decide(request)
  if (decision.allowed || decision.reason === 'too-much-work') return []
  const changes = changesFor(request)
  const singles = changes.filter(({ apply }) => allows(apply(request)))
  if (singles.length > 0) return singles.map(({ change }) => [change])
  return pairs(changes)
    .filter(([one, other]) => allows(other.apply(one.apply(request))))
    .map(([one, other]) => [one.change, other.change])
}

function pairs(changes: readonly AppliedChange[]): (readonly [AppliedChange, AppliedChange])[] {
  return changes.flatMap((one, at) => changes.slice(at + 1).map((other) => [one, other] as const))
}
