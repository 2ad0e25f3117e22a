import { permissionsOf } from './permissions.ts'
import { Powers } from './powers.ts'
import type { Principal } from './principals.ts'
import { type SeparationLimits, separationLimits, startsOf } from './separation.ts'
import type { AnalysisWorld } from './world.ts'

/** Who holds both sides at once, and by which permissions; `certain`: by requests that were replayed. */
export type Holder = {
  readonly principal: string
  readonly administration: string
  readonly use: string
  readonly certain: boolean
}

/**
 * The first principal that can both administer and use the key as everything stands, by the key policy, identity
 * policies and grants; nobody takes a step first. Undefined: there is none. 'unknown': there is too much to look at.
 */
export function* holderSteps(
  world: AnalysisWorld,
  limits: SeparationLimits = separationLimits,
): Generator<void, Holder | undefined | 'unknown'> {
  const starts = startsOf(world)
  if (starts.length > limits.principals) return 'unknown'
  const powers = new Powers(world)
  for (const start of starts) {
    yield
    const holder = holds(powers, start)
    if (holder !== undefined) return holder
    if (powers.asked > limits.questions) return 'unknown'
  }
  return undefined
}

function holds(powers: Powers, principal: Principal): Holder | undefined {
  const administration = first(powers, principal, ['admin', 'control'])
  const use = administration && first(powers, principal, ['use'])
  if (administration === undefined || use === undefined) return undefined
  return {
    principal: principal.name,
    administration: administration.permission,
    use: use.permission,
    certain: administration.certain && use.certain,
  }
}

function first(powers: Powers, principal: Principal, sides: readonly string[]) {
  const { grants, key } = powers.world
  let perhaps: { permission: string; certain: boolean } | undefined
  for (const { name, side } of permissionsOf(key)) {
    // What takes a permission on an alias, too, administers the alias.
    if (!sides.includes(side) || name.endsWith('Alias')) continue
    const permission = `kms:${name}`
    const can = powers.onKey(principal, permission, { policy: 'present', grants, openKey: false })
    if (can?.certain === true) return { permission, certain: true }
    if (can !== undefined) perhaps ??= { permission, certain: false }
  }
  return perhaps
}
