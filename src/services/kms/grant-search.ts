import type { GrantRecord, OperationSet } from './grant.ts'
import type { IsBeyond } from './ordered-records.ts'

/** What is asked of a grant. */
export type Permission = {
  /** All of them. */
  readonly operations: OperationSet
  /** Which constraints on the encryption context a grant may have. */
  readonly context: ContextPairs | 'ignored'
}

/** Pairs as in a grant record: key by key, each followed by its value, in the order of the keys. */
export type ContextPairs = {
  /** A grant whose EncryptionContextEquals is this; undefined: none that has one. */
  readonly equals: readonly string[] | undefined
  /** A grant whose EncryptionContextSubset is within this. */
  readonly within: readonly string[]
}

/** At most `count` grants of one key, in the order of `byTerms`, from the first that is beyond. */
type Read = (isBeyond: IsBeyond<GrantRecord>, count: number) => readonly GrantRecord[]

type Kind = 0 | 1 | 2
const unconstrained = 0
const equals = 1
const subset = 2

/** A place in the order: before all grants of these operations. */
type Place = {
  readonly kind: Kind
  readonly pairs: readonly string[]
  readonly operations: number
}

/**
 * How many places one search looks at. Only grants of one party on one key that all fit the context, and none the
 * operation, come in the way of each other; with more kinds of them than this, what lies behind is not found.
 */
const looksMax = 256
/** Read at once where every grant of a party has to be looked at. */
const chunk = 512

const nothing: readonly string[] = []

/** By grantee, constraint, operations and id. */
export function byTerms(a: GrantRecord, b: GrantRecord): number {
  return (
    compareTexts(a.grantee, b.grantee) ||
    kindOf(a) - kindOf(b) ||
    comparePairs(pairsIn(a), pairsIn(b)) ||
    a.operations - b.operations ||
    compareTexts(a.grantId, b.grantId)
  )
}

/**
 * A grant of a party that permits it. What cannot fit is leapt over, so that neither the number of grants nor the
 * variety of their constraints tells in the time.
 */
export function findGrant(
  party: string,
  { operations, context }: Permission,
  read: Read,
): GrantRecord | undefined {
  if (context === 'ignored') return findAny(party, operations, read)
  const places: (Place | undefined)[] = [{ kind: unconstrained, pairs: nothing, operations: -1 }]
  if (context.equals !== undefined) {
    places.push({ kind: equals, pairs: context.equals, operations: -1 })
  }
  if (context.within.length > 0) places.push({ kind: subset, pairs: nothing, operations: -1 })
  let looks = looksMax
  for (const start of places) {
    for (let place = start; place !== undefined && looks > 0; looks--) {
      const grant = firstFrom(party, place, read)
      if (grant === undefined || kindOf(grant) !== place.kind) break
      const next = nextPlace(grant, place, context.within)
      if (next !== 'fits') place = next
      else if (covers(grant, operations)) return grant
      else {
        place = { kind: place.kind, pairs: pairsIn(grant), operations: grant.operations + 1 }
      }
    }
  }
  return undefined
}

/** Cheap for each: it looks at the operations alone. */
function findAny(party: string, operations: OperationSet, read: Read): GrantRecord | undefined {
  let last: GrantRecord | undefined
  for (;;) {
    const from = last
    const grants: readonly GrantRecord[] = read(
      (grant) => (from === undefined ? grant.grantee >= party : byTerms(grant, from) > 0),
      chunk,
    )
    for (const grant of grants) {
      if (grant.grantee !== party) return undefined
      if (covers(grant, operations)) return grant
    }
    last = grants.at(-1)
    if (last === undefined) return undefined
  }
}

function firstFrom(party: string, place: Place, read: Read): GrantRecord | undefined {
  const isReached = (grant: GrantRecord) =>
    (compareTexts(grant.grantee, party) ||
      kindOf(grant) - place.kind ||
      comparePairs(pairsIn(grant), place.pairs) ||
      grant.operations - place.operations) >= 0
  const [grant] = read(isReached, 1)
  return grant?.grantee === party ? grant : undefined
}

/** 'fits', or where the next grant may be that does; undefined: there is none of this kind. */
function nextPlace(
  grant: GrantRecord,
  { kind, pairs }: Place,
  within: readonly string[],
): 'fits' | Place | undefined {
  if (kind === unconstrained) return 'fits'
  if (kind === equals) return comparePairs(pairsIn(grant), pairs) === 0 ? 'fits' : undefined
  const wanted = leap(pairsIn(grant), within)
  if (wanted === 'fits' || wanted === undefined) return wanted
  return { kind, pairs: wanted, operations: -1 }
}

/**
 * Whether all pairs of a constraint are in a context; if not, the first constraint in the order, behind this one, that
 * may be. Both are sorted by key, so a constraint that fits is the context with pairs left out.
 */
function leap(constraint: readonly string[], within: readonly string[]) {
  let at = 0
  for (let place = 0; place < constraint.length; place += 2) {
    const pair = constraint.slice(place, place + 2)
    while (at < within.length && comparePairs(within.slice(at, at + 2), pair) < 0) at += 2
    if (at < within.length && comparePairs(within.slice(at, at + 2), pair) === 0) {
      at += 2
      continue
    }
    if (at < within.length) return [...constraint.slice(0, place), ...within.slice(at, at + 2)]
    return shorter(constraint.slice(0, place), within)
  }
  return 'fits'
}

/** The next in the order behind everything that begins with a prefix, which is in the context. */
function shorter(prefix: readonly string[], within: readonly string[]) {
  if (prefix.length === 0) return undefined
  const kept = prefix.slice(0, -2)
  const last = prefix.slice(-2)
  for (let at = 0; at < within.length; at += 2) {
    const pair = within.slice(at, at + 2)
    if (comparePairs(pair, last) > 0) return [...kept, ...pair]
  }
  // The last pair of the context stands at the end of the prefix, which is exhausted with it.
  return shorter(kept, within)
}

function covers(grant: GrantRecord, operations: OperationSet): boolean {
  return (grant.operations & operations) === operations
}

function kindOf({ contextEquals, contextSubset }: GrantRecord): Kind {
  if (contextEquals !== undefined) return equals
  return contextSubset === undefined ? unconstrained : subset
}

function pairsIn({ contextEquals, contextSubset }: GrantRecord): readonly string[] {
  return contextEquals ?? contextSubset ?? nothing
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function comparePairs(a: readonly string[], b: readonly string[]): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const order = compareTexts(a[at] ?? '', b[at] ?? '')
    if (order !== 0) return order
  }
  return a.length - b.length
}
