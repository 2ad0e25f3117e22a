import { becoming } from './becoming.ts'
import { reachable } from './key-reach.ts'
import { Powers } from './powers.ts'
import { type SeparationLimits, separationLimits, startsOf } from './separation.ts'
import type { AnalysisWorld } from './world.ts'

/**
 * Who comes, or only perhaps comes, to both administration and use of a key, and how: by ids. Empty is the proof that
 * nobody does. Undefined: there is too much to look at.
 */
export type Mixed = {
  readonly who: ReadonlyMap<string, string> | undefined
  /** How many principals there are to look at. */
  readonly principals: number
}

/** What `separationSteps` asks, answered for each: by it can be told whether a change makes it worse. */
export function* mixedSteps(
  world: AnalysisWorld,
  limits: SeparationLimits = separationLimits,
): Generator<void, Mixed> {
  const starts = startsOf(world)
  const principals = starts.length
  if (principals > limits.principals) return { who: undefined, principals }
  const powers = new Powers(world)
  const who = new Map<string, string>()
  for (const start of starts) {
    yield
    const { administration, use } = reachable(powers, becoming(powers, start, false), false)
    if (powers.asked > limits.questions) return { who: undefined, principals }
    if (administration === undefined || use === undefined) continue
    const steps = [...administration.steps, ...use.steps].map(({ action }) => action)
    const by = steps.length === 0 ? '' : ` by ${[...new Set(steps)].join(', ')}`
    who.set(start.id, `${start.name}: ${administration.permission} and ${use.permission}${by}`)
  }
  return { who, principals }
}

/** A change after which a key that keeps its duties separate would not. Whose the key is decides who is told of it. */
export class DutiesMixed extends Error {
  override readonly name = 'DutiesMixed'
  readonly keyArn: string
  readonly keyAccount: string
  /** For the operator. */
  readonly why: string

  constructor({ arn, account }: AnalysisWorld['key'], why: string) {
    super(
      `${arn} keeps administration and use apart, and could not be proven to afterwards: ${why}`,
    )
    this.keyArn = arn
    this.keyAccount = account
    this.why = why
  }
}
