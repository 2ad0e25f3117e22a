import { becoming } from './becoming.ts'
import { atOnce } from './in-steps.ts'
import { type Reached, reachable } from './key-reach.ts'
import { othersOf } from './others.ts'
import { Powers } from './powers.ts'
import { type Principal, principalsOf } from './principals.ts'
import type { AnalysisWorld } from './world.ts'

/**
 * PROVEN: nobody can come to both sides, under the assumptions. VIOLATED: somebody can, and how was replayed.
 * UNKNOWN: somebody perhaps can.
 */
export type Separation = {
  readonly key: string
  readonly result: 'PROVEN' | 'VIOLATED' | 'UNKNOWN'
  /** The shortest way there is, over all principals. */
  readonly counterexample?: Counterexample
  /** How many principals were looked at. */
  readonly principals: number
  readonly assumptions: readonly string[]
}

export type Counterexample = {
  readonly principal: string
  readonly administration: Reached
  readonly use: Reached
}

export type SeparationLimits = {
  readonly principals: number
  /** How many questions may be asked of policies. */
  readonly questions: number
}

export const separationLimits: SeparationLimits = { principals: 500, questions: 200_000 }

/** Can anybody who starts as one principal both administer and use the key? */
export function proveSeparation(
  world: AnalysisWorld,
  limits: SeparationLimits = separationLimits,
): Separation {
  return atOnce(separationSteps(world, limits))
}

/** The same in steps, between which others may have their turn. */
export function* separationSteps(
  world: AnalysisWorld,
  limits: SeparationLimits = separationLimits,
): Generator<void, Separation> {
  const starts = startsOf(world)
  const proof = { key: world.key.arn, principals: starts.length, assumptions: assumptionsOf(world) }
  if (starts.length > limits.principals) return { ...proof, result: 'UNKNOWN' }
  const powers = new Powers(world)
  for (const certain of [true, false]) {
    let shortest: Counterexample | undefined
    for (const start of starts) {
      yield
      const { administration, use } = reachable(powers, becoming(powers, start, certain), certain)
      if (administration !== undefined && use !== undefined) {
        const found = { principal: start.name, administration, use }
        if (lengthOf(found) < lengthOf(shortest)) shortest = found
      }
      if (powers.asked > limits.questions) return { ...proof, result: 'UNKNOWN' }
    }
    if (shortest === undefined) continue
    return { ...proof, result: certain ? 'VIOLATED' : 'UNKNOWN', counterexample: shortest }
  }
  return { ...proof, result: 'PROVEN' }
}

/** Everybody of whom the question is asked. */
export function startsOf(world: AnalysisWorld): readonly Principal[] {
  return [...principalsOf(world), ...othersOf(world).filter(({ kind }) => kind === 'other')]
}

function lengthOf(found: Counterexample | undefined): number {
  if (found === undefined) return Number.POSITIVE_INFINITY
  return found.administration.steps.length + found.use.steps.length
}

function assumptionsOf({ key, accounts }: AnalysisWorld): readonly string[] {
  const roots = accounts.map(({ account }) => account).join(', ')
  const assumptions = [
    `The root users (${roots}) count with what the key policy gives them. They can write every identity of their account and are trusted not to.`,
    'Operators, who set guardrails and can read the data folder, are trusted.',
    'Two principals that work together are not one.',
    'Whoever obtains a session of a role from outside, by a web identity, starts as that session; identity providers are trusted.',
  ]
  if (key.guarded) {
    assumptions.push(
      'The key refuses every change of its policy, grants, tags and aliases after which this could not be proven, and every change of identities and guardrails by which anybody newly comes to both sides.',
    )
  }
  if (key.origin === 'EXTERNAL') {
    assumptions.push('Whoever imported the key material, and still has it, keeps no copy for use.')
  }
  if (key.multiRegion !== undefined) {
    assumptions.push(
      'The related keys of other Regions have key policies of their own, and are proven one by one.',
    )
  }
  return assumptions
}
