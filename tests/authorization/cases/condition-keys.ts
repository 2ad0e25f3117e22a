/** Condition keys that are particular: those that collide, and those that only identity policies see. */
import { against, allow, type DecisionCase, deny, to, type Verdict } from '../case.ts'
import { alice, bob, home, owner } from '../people.ts'

/** One condition key, which the request brings twice: whoever sends both gains by neither. */
const both = { 'kms:EncryptionContext:Dept': 'red', 'kms:EncryptionContext:dept': 'blue' }
const same = { 'kms:EncryptionContext:Dept': 'red', 'kms:EncryptionContext:dept': 'red' }
const dept = 'kms:EncryptionContext:DEPT'

const collisions: readonly (readonly [
  condition: object,
  conditions: Readonly<Record<string, string>>,
  whenAllowed: 'E' | 'no-key-policy-allows',
  whenDenied: 'E' | 'explicit-deny-in-key-policy',
])[] = [
  [
    { StringEquals: { [dept]: 'red' } },
    both,
    'no-key-policy-allows',
    'explicit-deny-in-key-policy',
  ],
  [
    { StringEquals: { [dept]: 'blue' } },
    both,
    'no-key-policy-allows',
    'explicit-deny-in-key-policy',
  ],
  [{ StringEquals: { [dept]: ['red', 'blue'] } }, both, 'E', 'explicit-deny-in-key-policy'],
  [{ StringEquals: { [dept]: 'green' } }, both, 'no-key-policy-allows', 'E'],
  [
    { StringNotEquals: { [dept]: 'red' } },
    both,
    'no-key-policy-allows',
    'explicit-deny-in-key-policy',
  ],
  [{ StringNotEquals: { [dept]: 'green' } }, both, 'E', 'explicit-deny-in-key-policy'],
  [{ Null: { [dept]: 'false' } }, both, 'E', 'explicit-deny-in-key-policy'],
  [{ StringEquals: { [dept]: 'red' } }, same, 'E', 'explicit-deny-in-key-policy'],
]

export const colliding: readonly DecisionCase[] = collisions.flatMap(
  ([Condition, conditions, whenAllowed, whenDenied]): DecisionCase[] => {
    const asked = {
      ...{ rule: '2.1 colliding keys', name: JSON.stringify([Condition, conditions]) },
      ...{ caller: owner, conditions },
    }
    return [
      { ...asked, policy: to('*', { Condition }), expected: whenAllowed },
      { ...asked, policy: [to('*'), against('*', { Condition })], expected: whenDenied },
    ]
  },
)

const conditions = { 'kms:ResourceAliases': ['alias/app', 'alias/other'] }
const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/app' } }

const aliases: readonly (readonly [string, Partial<DecisionCase>, Verdict])[] = [
  ['an identity policy', { policy: to(home), identity: [allow({ Condition })] }, 'F'],
  [
    'an identity policy that denies',
    { policy: to('*'), identity: [deny({ Condition })] },
    'explicit-deny-in-identity-policy',
  ],
  ['a boundary', { policy: to(home), identity: [allow()], boundary: allow({ Condition }) }, 'F'],
  ['a key policy', { policy: to('*', { Condition }) }, 'no-key-policy-allows'],
  [
    'a key policy that delegates',
    { policy: to(home, { Condition }), identity: [allow()] },
    'no-key-policy-allows',
  ],
  ['a key policy that denies', { policy: [to('*'), against('*', { Condition })] }, 'E'],
  [
    'an identity policy of another account',
    { caller: bob, policy: to('*'), identity: [allow({ Condition })] },
    'E',
  ],
]

export const resourceAliases: readonly DecisionCase[] = aliases.map(([name, given, expected]) => ({
  ...{ rule: '3.1 ResourceAliases: IAM policies only', name, caller: alice, conditions },
  ...given,
  expected,
}))
