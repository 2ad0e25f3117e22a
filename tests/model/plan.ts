import assert from 'node:assert/strict'
import { notFound, type Operation, refusalIn } from './states.ts'
import type { Naming } from './step.ts'
import {
  aliasesOf,
  arnOf,
  chosen,
  familyOf,
  idOf,
  type KeyRef,
  keyOf,
  keyRefs,
  type When,
  type World,
} from './world.ts'

export type Body = Readonly<Record<string, unknown>>

/** A call, what it has to answer, and what it does to the world. */
export type Plan = {
  readonly region: string
  readonly operation: string
  readonly input: object
  /** The errors of which one has to be the answer: more than one where AWS leaves open which comes first. */
  readonly refused: readonly string[]
  /** What a call that is not refused does, and what it says of it; the answer is undefined where it was lost. */
  readonly apply: (answer: Body | undefined) => void
  /** Keys of which it is asked afterwards what they are. */
  readonly touched: readonly KeyRef[]
}

/** How a call names a key; `refused` is what it gets for that alone. */
export type NamedKey = { readonly KeyId: string; readonly refused: string[] }

/** `takesAliases`: cryptographic operations, DescribeKey and GetPublicKey do. */
export function nameKey(
  world: World,
  ref: KeyRef,
  by: Naming,
  takesAliases: boolean = false,
): NamedKey {
  const refused = keyOf(world, ref).state === 'Gone' ? [notFound] : []
  const alias = aliasesOf(world, ref)[0]
  switch (by) {
    case 'id':
      return { KeyId: idOf(world, ref), refused }
    case 'arn':
      return { KeyId: arnOf(world, ref), refused }
    case 'ARN of another Region': {
      const other = world.regions.find((region) => region !== ref.region)
      return { KeyId: arnOf(world, ref, other), refused: [notFound] }
    }
    default: {
      if (alias === undefined) return { KeyId: idOf(world, ref), refused }
      const prefix = by === 'alias' ? '' : `arn:aws:kms:${ref.region}:${world.account}:`
      return { KeyId: `${prefix}${alias}`, refused: takesAliases ? refused : [notFound] }
    }
  }
}

/** What a key that was named well refuses: by its state first, then for the reasons that are given. */
export function refusals(
  world: World,
  ref: KeyRef,
  operation: Operation,
  ...reasons: readonly (string | false | undefined)[]
): string[] {
  const byState = refusalIn(keyOf(world, ref).state, operation)
  return [byState, ...reasons].filter((reason) => typeof reason === 'string')
}

/** The first of them that refuses at all decides. */
export function firstOf(...stages: readonly (readonly string[])[]): readonly string[] {
  return stages.find((stage) => stage.length > 0) ?? []
}

export function pickKey(
  world: World,
  index: number,
  prefer: (ref: KeyRef) => boolean = () => true,
): KeyRef | undefined {
  const refs = keyRefs(world)
  return chosen(refs.filter(prefer), index) ?? chosen(refs, index)
}

/** The key with all that are related to it. */
export function relatedOf(world: World, { family }: KeyRef): KeyRef[] {
  return [...familyOf(world, family).keys.keys()].map((region) => ({ family, region }))
}

/** A date of an answer, in seconds: it has to be the one that is expected, which is known exactly from then on. */
export function checkDate(told: unknown, expected: When, what: string): void {
  assert.equal(typeof told, 'number', `${what} is no date: ${told}`)
  const ms = Math.round(Number(told) * 1000)
  const { from, to } = expected
  const iso = (time: number) => new Date(time).toISOString()
  assert.ok(ms >= from && ms <= to, `${what} is ${iso(ms)}, not ${iso(from)} to ${iso(to)}`)
  expected.from = ms
  expected.to = ms
}

export function textOf(answer: Body, member: string): string {
  const value = answer[member]
  assert.ok(typeof value === 'string', `${member} is missing`)
  return value
}
