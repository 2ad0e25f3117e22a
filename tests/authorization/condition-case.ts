/** A condition case: whether one condition holds for one request. */
import type { Caller } from '../../src/base/caller.ts'
import { against, type DecisionCase, to } from './case.ts'
import { owner } from './people.ts'

export type ConditionCase = {
  readonly rule: string
  readonly name?: string
  readonly operator: string
  readonly key?: string
  readonly values: unknown
  /** What the request says of the key; undefined: it has no such key. A list: a set of values. */
  readonly request: string | readonly string[] | undefined
  /** Other keys that the request has. */
  readonly besides?: Readonly<Record<string, string | readonly string[]>>
  readonly version?: DecisionCase['version']
  readonly holds: boolean
}

export const conditionKey = 'aws:PrincipalTag/value'

/** As the only Allow, and as a Deny besides one that allows all: a condition means the same in both. */
export function decisionsOf(given: ConditionCase, caller: Caller = owner): DecisionCase[] {
  const { rule, operator, key = conditionKey, values, request, besides, version, holds } = given
  const conditions = { ...besides, ...(request === undefined ? {} : { [key]: request }) }
  const Condition = { [operator]: { [key]: values } }
  const name = `${operator} ${JSON.stringify(values)} on ${JSON.stringify(request) ?? 'nothing'}`
  const both = {
    rule,
    name: given.name === undefined ? name : `${given.name}: ${name}`,
    caller,
    conditions,
    ...(version === undefined ? {} : { version }),
  }
  return [
    { ...both, policy: to('*', { Condition }), expected: holds ? 'E' : 'no-key-policy-allows' },
    {
      ...both,
      policy: [to('*'), against('*', { Condition })],
      expected: holds ? 'explicit-deny-in-key-policy' : 'E',
    },
  ]
}
