import { ServiceError } from '../../base/errors.ts'

/**
 * Where a call names two things, the denial of one that is not there must come when its turn comes, and no sooner:
 * the order of refusals would tell whether it, or the other one, exists. Until then the denial stands in its place.
 */
export type OrDenial<T> = T | ServiceError

/** What `find` finds, or the denial that it throws for what belongs to others. Any other failure is thrown on. */
export function orDenial<T>(find: () => T): OrDenial<T> {
  try {
    return find()
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'access-denied') return error
    throw error
  }
}

export function isFound<T>(found: OrDenial<T>): found is T {
  return !(found instanceof ServiceError)
}

/** Throws the denial. */
export function requireFound<T>(found: OrDenial<T>): T {
  if (isFound(found)) return found
  throw found
}
