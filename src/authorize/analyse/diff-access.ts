import type { ConditionValues } from '../conditions/context.ts'
import { type CompiledStatement, compilePolicy } from '../policy/compile.ts'
import { Question } from '../question.ts'
import { all, not } from './formula.ts'
import { atOnce } from './in-steps.ts'
import { othersOf } from './others.ts'
import { permissionsOf } from './permissions.ts'
import { type Principal, principalsOf } from './principals.ts'
import type { Query } from './query.ts'
import { satisfy } from './satisfy.ts'
import { keyQuery } from './who-can.ts'
import type { AnalysisWorld } from './world.ts'

/** PASS: the new policy allows no request that the old one denies. FAIL: here are some. UNKNOWN: neither is proven. */
export type DiffAccess = {
  readonly key: string
  readonly result: 'PASS' | 'FAIL' | 'UNKNOWN'
  readonly findings: readonly NewAccess[]
  /** Of whom and what it could not be told. */
  readonly unknown: readonly { readonly principal: string; readonly permission: string }[]
}

/** A request that the old policy denies and the new one allows. */
export type NewAccess = {
  readonly principal: string
  readonly kind: Principal['kind']
  readonly permission: string
  /** Condition values of the request; what they do not name does not matter. */
  readonly witness: ConditionValues
  /** Of the key policy alone: what of the new one allows it, and what of the old one denied it. */
  readonly statements: readonly StatementPlace[]
}

export type StatementPlace = {
  readonly policy: 'old' | 'new'
  readonly effect: 'Allow' | 'Deny'
  /** From 0. */
  readonly index: number
  readonly sid: string | undefined
}

/**
 * What one key policy newly allows over another, with the identity policies, grants and guardrails that there are.
 * Both texts name principals by their unique ids.
 */
export function diffAccess(world: AnalysisWorld, oldText: string, newText: string): DiffAccess {
  return atOnce(diffAccessSteps(world, oldText, newText))
}

/** The same in small steps, between which others may have their turn. */
export function* diffAccessSteps(
  world: AnalysisWorld,
  oldText: string,
  newText: string,
): Generator<void, DiffAccess> {
  const [before, after] = [compilePolicy(oldText), compilePolicy(newText)]
  const principals = [...principalsOf(world, [oldText, newText]), ...othersOf(world)]
  const findings: NewAccess[] = []
  const unknown: { principal: string; permission: string }[] = []
  for (const principal of principals) {
    for (const { name } of permissionsOf(world.key)) {
      yield
      const permission = `kms:${name}`
      const older = keyQuery(world, before, principal, permission)
      const newer = keyQuery(world, after, principal, permission)
      const found = satisfy(all([newer.allowed, not(older.allowed)]), [
        { query: newer, allowed: true },
        { query: older, allowed: false },
      ])
      const who = { principal: principal.name, permission }
      if (found === 'unknown') unknown.push(who)
      else if (found !== 'none') {
        const { witness } = found
        const statements = [
          ...added(placesOf(newer, witness, after.allows, 'new'), oldText, newText),
          ...placesOf(older, witness, before.denies, 'old'),
        ]
        findings.push({ ...who, kind: principal.kind, witness, statements })
      }
    }
  }
  const result = findings.length > 0 ? 'FAIL' : unknown.length > 0 ? 'UNKNOWN' : 'PASS'
  return { key: world.key.arn, result, findings, unknown }
}

function placesOf(
  query: Query,
  witness: ConditionValues,
  statements: readonly CompiledStatement[],
  policy: StatementPlace['policy'],
): StatementPlace[] {
  const request = query.request(witness)
  if (request === undefined) return []
  const question = new Question(request)
  return statements
    .filter((statement) => question.applies(statement))
    .map(({ effect, index, sid }) => ({ policy, effect, index, sid }))
}

/** A statement that stood there before is no reason, unless there is no other. */
function added(places: StatementPlace[], oldText: string, newText: string): StatementPlace[] {
  const before = new Set(statementTexts(oldText))
  const after = statementTexts(newText)
  const fresh = places.filter(({ index }) => !before.has(after[index] ?? ''))
  return fresh.length > 0 ? fresh : places
}

/** Each statement as one text; both policies are well formed. */
function statementTexts(policy: string): string[] {
  const { Statement } = JSON.parse(policy) as { Statement: unknown }
  return (Array.isArray(Statement) ? Statement : [Statement]).map((each) => JSON.stringify(each))
}
