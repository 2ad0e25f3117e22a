import { isDeepStrictEqual } from 'node:util'
import { inTurns } from './authorize/analyse/in-steps.ts'
import { DutiesMixed, mixedSteps } from './authorize/analyse/mixed.ts'
import type { AnalysedGrant, AnalysedKey, AnalysisWorld } from './authorize/analyse/world.ts'
import { analysisWorld, type WorldSources } from './operator/analysis-world.ts'
import { analysedGrants, analysedKey } from './services/kms/analysed-key.ts'
import type { Grants } from './services/kms/grants.ts'
import { type KmsState, mayBeEnforced } from './services/kms/state.ts'
import type { CommitGuard, Mirror, Table } from './storage/mirror.ts'
import type { Put } from './storage/port.ts'
import { OneByOne } from './turns.ts'

export type SeparationGuardDeps = WorldSources & {
  readonly mirror: Mirror
  readonly state: KmsState
  readonly grants: Grants
  readonly proofs: Table<object>
}

/** What says who there is and what they may: access keys, providers and account aliases do not change any answer. */
const identityKinds = [
  ...['user', 'group', 'role', 'managed-policy', 'account', 'guardrail', 'guardrail-target'],
]
/** What belongs to a key and is not its row. */
const sideKinds = ['alias', 'grant']
/** Of the row that each change of a key writes that was looked at, so that others see that there was one. */
export const proofKind = 'separation-proof'
const proofRow = 'last'

/**
 * Refuses every commit after which a key tagged `kagiban:separation-of-duties` = `enforced` would not keep its duties
 * separate, whoever makes it: a change of the key unless it is proven of it afterwards, a change of identities or
 * guardrails when by it anybody newly comes to both sides, or perhaps does.
 *
 * What is proven is the state that the commit makes, so that nothing may come between: of this process those commits
 * are made one after another; of others, the store refuses (StoreConflict) what was decided on identities that have
 * changed, or while a key was looked at. A process that knows of no such key proves nothing, and its commits fail when
 * there has come to be one.
 */
export function separationGuard(deps: SeparationGuardDeps, prove = mixedSteps): CommitGuard {
  const { mirror, state, proofs } = deps
  const turns = new OneByOne()
  return async (asked, commit) => {
    const puts = asked.filter(matters)
    const changesIdentities = puts.some((put) => isOfIdentities(put) && mirror.alters(put))
    const rows = rowsConcerned(puts, state)
    if (!(changesIdentities && state.enforced.size > 0) && changed(puts, rows, deps).length === 0) {
      const isTold = changesIdentities || puts.some(({ kind }) => sideKinds.includes(kind))
      return commit(isTold ? { unchanged: { kinds: [proofKind], since: mirror.revision } } : {})
    }
    const endTurn = await turns.turn()
    try {
      const since = mirror.revision
      const own = changed(puts, rows, deps)
      const others = changesIdentities ? otherWorlds(puts, own, deps) : []
      const worlds = mirror.supposing(puts, () => own.map(({ now }) => worldOf(now, deps)))
      for (const world of worlds) await requireProof(world, prove)
      for (const { now, before } of others) await requireNobodyNew(now, before, prove)
      // Others may not know yet that a key has come to keep its duties separate, and change these of it meanwhile.
      const more = own.some(({ isNew }) => isNew) ? sideKinds : []
      const also = own.length === 0 ? [] : [proofs.put(proofRow, {})]
      await commit({ unchanged: { kinds: [...identityKinds, proofKind, ...more], since }, also })
    } finally {
      endTurn()
    }
  }
}

function isOfIdentities({ kind }: Put): boolean {
  return identityKinds.includes(kind)
}

/** With one grant less nobody can do more. */
function matters(put: Put): boolean {
  if (put.kind === 'grant') return put.body !== null
  return put.kind === 'key' || put.kind === 'alias' || isOfIdentities(put)
}

/** Rows of keys that are to keep their duties separate, now or afterwards, and that the puts are about. */
function rowsConcerned(puts: readonly Put[], state: KmsState): readonly string[] {
  const rows = new Set<string>()
  for (const put of puts) {
    if (isOfIdentities(put)) continue
    const enforces = put.kind === 'key' && put.body !== null && mayBeEnforced(put.body)
    if (!enforces && state.enforced.size === 0) continue
    for (const row of rowsOf(put, state)) if (enforces || state.enforced.has(row)) rows.add(row)
  }
  return [...rows]
}

type SideRow = { readonly region: string; readonly keyId: string; readonly targetKeyId: string }

/** Of the keys that a row of a key, an alias or a grant is about. */
function rowsOf({ kind, id, body }: Put, state: KmsState): readonly string[] {
  if (kind === 'key') return [id]
  const now = body === null ? undefined : (JSON.parse(body) as SideRow)
  if (kind === 'grant') return now === undefined ? [] : [`${now.region}/${now.keyId}`]
  return [now, state.aliases.get(id)].flatMap((alias) =>
    alias === undefined ? [] : [`${id.slice(0, id.indexOf('/'))}/${alias.targetKeyId}`],
  )
}

/** One key as an analysis looks at it; without its grants where they are too many. */
type Standing = {
  readonly key: AnalysedKey
  readonly grants: readonly AnalysedGrant[] | undefined
}

type Change = {
  readonly now: Standing
  /** It is there, and did not keep its duties separate so far. */
  readonly isNew: boolean
}

/** The keys of which the puts change something that matters, as they will be. */
function changed(
  puts: readonly Put[],
  rows: readonly string[],
  deps: SeparationGuardDeps,
): readonly Change[] {
  if (rows.length === 0) return []
  const before = rows.map((row) => standing(row, deps))
  return deps.mirror.supposing(puts, () =>
    rows.flatMap((row, at) => {
      const now = standing(row, deps)
      const was = before[at]
      if (now === undefined || !(now.key.guarded || was?.key.guarded === true)) return []
      if (isDeepStrictEqual(now, was)) return []
      return [{ now, isNew: was?.key.guarded === false }]
    }),
  )
}

/** The other keys, among the identities that there will be, and among those that there are. */
function otherWorlds(
  puts: readonly Put[],
  own: readonly Change[],
  deps: SeparationGuardDeps,
): readonly { readonly now: AnalysisWorld; readonly before: AnalysisWorld }[] {
  const known = new Set(own.map(({ now }) => now.key.arn))
  const keys = [...deps.state.enforced].flatMap((row) => {
    const found = standing(row, deps)
    return found === undefined || known.has(found.key.arn) ? [] : [found]
  })
  const [first] = keys
  if (first === undefined) return []
  const before = worldOf(first, deps)
  const now = deps.mirror.supposing(puts, () => worldOf(first, deps))
  return keys.map((each) => ({
    now: { ...now, key: each.key, grants: grantsOf(each) },
    before: { ...before, key: each.key, grants: grantsOf(each) },
  }))
}

function standing(row: string, { state, grants }: SeparationGuardDeps): Standing | undefined {
  const key = state.keys.get(row)
  return key && { key: analysedKey(key, state), grants: analysedGrants(key, grants) }
}

function worldOf(of: Standing, deps: SeparationGuardDeps): AnalysisWorld {
  return analysisWorld(deps, of.key, grantsOf(of))
}

function grantsOf({ key, grants }: Standing): readonly AnalysedGrant[] {
  if (grants === undefined) throw new DutiesMixed(key, 'it has too many grants')
  return grants
}

type Prove = typeof mixedSteps

async function requireProof(now: AnalysisWorld, prove: Prove): Promise<void> {
  const { who } = await inTurns(prove(now))
  if (who === undefined) throw new DutiesMixed(now.key, tooMany)
  const [how] = who.values()
  if (how !== undefined) throw new DutiesMixed(now.key, how)
}

/** Where the proof does not hold anyway, it is no worse by a change that brings nobody else to both sides. */
async function requireNobodyNew(
  now: AnalysisWorld,
  before: AnalysisWorld,
  prove: Prove,
): Promise<void> {
  const after = await inTurns(prove(now))
  if (after.who?.size === 0) return
  const present = await inTurns(prove(before))
  if (after.who === undefined) {
    // So that there is a way back to what can be proven.
    if (present.who === undefined && after.principals < present.principals) return
    throw new DutiesMixed(now.key, tooMany)
  }
  for (const [id, how] of after.who) {
    if (present.who !== undefined && !present.who.has(id)) throw new DutiesMixed(now.key, how)
  }
}

const tooMany = 'there are too many identities for a proof'
