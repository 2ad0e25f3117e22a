import { type AppliedChange, type Change, changesFor } from './changes.ts'
import { decide } from './evaluate.ts'
import type { AccessRequest } from './request.ts'

export type { Change } from './changes.ts'

/**
 * The smallest changes by which a denied request would be allowed, each verified by the evaluator: single facts or,
 * when no single one suffices, pairs. Empty for an allowed request, and where it takes more than two changes or no
 * policy can allow it.
 */
export function wouldAllow(request: AccessRequest): readonly (readonly Change[])[] {
  const decision = decide(request)
  if (decision.allowed || decision.reason === 'too-much-work') return []
  const changes = changesFor(request)
  const singles = changes.filter(({ apply }) => decide(apply(request)).allowed)
  if (singles.length > 0) return singles.map(({ change }) => [change])
  return pairs(changes)
    .filter(([one, other]) => decide(other.apply(one.apply(request))).allowed)
    .map(([one, other]) => [one.change, other.change])
}

function pairs(changes: readonly AppliedChange[]): (readonly [AppliedChange, AppliedChange])[] {
  return changes.flatMap((one, at) => changes.slice(at + 1).map((other) => [one, other] as const))
}
