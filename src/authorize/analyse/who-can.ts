import type { ConditionValues } from '../conditions/context.ts'
import type { Path } from '../decision.ts'
import { decide } from '../evaluate.ts'
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts'
import { not } from './formula.ts'
import { atOnce } from './in-steps.ts'
import { othersOf } from './others.ts'
import { permissionsOf } from './permissions.ts'
import { type Principal, principalsOf } from './principals.ts'
import { keyResource, type Query, queryOf } from './query.ts'
import { type Residue, residueOf } from './residue.ts'
import { satisfy } from './satisfy.ts'
import type { AnalysedGrant, AnalysisWorld } from './world.ts'

/**
 * Every request is allowed; some are and some are not; none is; it cannot be told. The first and the third are proofs.
 */
export type Status = 'ALWAYS' | 'CONDITIONAL' | 'NEVER' | 'UNKNOWN'

/** One principal, or one kind of principal, and one permission on the key. */
export type Row = {
  readonly principal: string
  readonly kind: Principal['kind']
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly status: Status
  /** Condition values of a request that is allowed; what they do not name does not matter. */
  readonly allowedWith?: ConditionValues
  /** Condition values of a request that is denied. */
  readonly deniedWith?: ConditionValues
  /** How the allowed request is granted; authorize/decision.ts has the letters. */
  readonly path?: Path
  readonly grantId?: string
  /** What it takes, where it takes something. */
  readonly condition?: Residue
}

export type WhoCan = {
  readonly key: string
  readonly rows: readonly Row[]
}

/** `permissions` as in `kms:Decrypt`; all of the key without it. Rows of those who never can are among them. */
export function whoCan(world: AnalysisWorld, permissions?: readonly string[]): WhoCan {
  return atOnce(whoCanSteps(world, permissions))
}

/** The same in small steps, between which others may have their turn. */
export function* whoCanSteps(
  world: AnalysisWorld,
  permissions?: readonly string[],
): Generator<void, WhoCan> {
  const policy = compilePolicy(world.key.policy)
  const asked = permissions ?? permissionsOf(world.key).map(({ name }) => `kms:${name}`)
  const principals = [...principalsOf(world), ...othersOf(world)]
  const rows: Row[] = []
  for (const principal of principals) {
    for (const permission of asked) {
      rows.push(rowOf(world, policy, principal, permission))
      yield
    }
  }
  return { key: world.key.arn, rows }
}

/** May the principal use the permission on the key, as `policy` and the present grants have it? */
export function keyQuery(
  world: AnalysisWorld,
  policy: CompiledPolicy,
  principal: Principal,
  permission: string,
  grants: readonly AnalysedGrant[] = world.grants,
  also?: ConditionValues,
): Query {
  const resource = keyResource(world, permission, policy)
  const asked = { world, principal, permission, resource, grants }
  return queryOf(also === undefined ? asked : { ...asked, also })
}

function rowOf(
  world: AnalysisWorld,
  policy: CompiledPolicy,
  principal: Principal,
  permission: string,
): Row {
  const query = keyQuery(world, policy, principal, permission)
  const row = { principal: principal.name, kind: principal.kind, permission }
  const yes = satisfy(query.allowed, [{ query, allowed: true }])
  if (yes === 'none') return { ...row, status: 'NEVER' }
  const no = satisfy(not(query.allowed), [{ query, allowed: false }])
  const how =
    typeof yes === 'string' ? {} : { allowedWith: yes.witness, ...pathOf(query, yes.witness) }
  const denied = typeof no === 'string' ? {} : { deniedWith: no.witness }
  const condition = residueOf(query.allowed)
  const status = statusOf(yes === 'unknown', no)
  if (status === 'ALWAYS') return { ...row, status, ...how }
  return { ...row, status, ...how, ...denied, condition }
}

/** Without a request that is denied, nor a proof that there is none, 'always' and 'sometimes' cannot be told apart. */
function statusOf(yesUnknown: boolean, no: ReturnType<typeof satisfy>): Status {
  if (no === 'none') return 'ALWAYS'
  return yesUnknown || no === 'unknown' ? 'UNKNOWN' : 'CONDITIONAL'
}

function pathOf(query: Query, witness: ConditionValues): { path?: Path; grantId?: string } {
  const request = query.request(witness)
  if (request === undefined) return {}
  const decision = decide(request)
  if (!decision.allowed) return {}
  const { path, grantId } = decision
  return { ...(path && { path }), ...(grantId && { grantId }) }
}
