/** Permissions that are about no key: identity policies alone decide. */
import { allow, type DecisionCase, deny, type Verdict } from '../case.ts'
import { alice, bob, day, home, owner, stranger } from '../people.ts'

const no = 'no-identity-policy-allows'
const alias = `arn:aws:kms:eu-west-1:${home}:alias/app`
const other = allow({ Action: 'kms:ListKeys' })

type Row = readonly [name: string, Omit<DecisionCase, 'rule' | 'name' | 'expected'>, Verdict]

const rows: readonly Row[] = [
  ['root', { caller: owner }, 'account-root'],
  [
    'root under a guardrail',
    { caller: owner, serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'root, denied by a guardrail',
    { caller: owner, serviceControl: [[allow(), deny()]] },
    'explicit-deny-in-service-control-policy',
  ],
  ['a user without policies', { caller: alice }, no],
  ['a user', { caller: alice, identity: [allow()] }, 'identity-policy'],
  [
    'a user, by this action',
    { caller: alice, identity: [allow({ Action: 'kms:CreateKey' })] },
    'identity-policy',
  ],
  ['a user, by another action', { caller: alice, identity: [other] }, no],
  [
    'a user, on keys only',
    { caller: alice, identity: [allow({ Resource: `arn:aws:kms:*:${home}:key/*` })] },
    no,
  ],
  [
    'a user, denied',
    { caller: alice, identity: [allow(), deny()] },
    'explicit-deny-in-identity-policy',
  ],
  [
    'a user beyond its boundary',
    { caller: alice, identity: [allow()], boundary: other },
    'no-permissions-boundary-allows',
  ],
  ['a session', { caller: day, identity: [allow()] }, 'identity-policy'],
  [
    'a session beyond its session policy',
    { caller: day, identity: [allow()], session: [other] },
    'no-session-policy-allows',
  ],
  ['a session policy alone', { caller: day, session: [allow()] }, no],
  [
    'a user beyond a guardrail',
    { caller: alice, identity: [allow()], serviceControl: [[other]] },
    'no-service-control-policy-allows',
  ],
  [
    'a condition that holds',
    {
      caller: alice,
      identity: [allow({ Condition: { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } } })],
      conditions: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' },
    },
    'identity-policy',
  ],
  [
    'a condition that does not',
    {
      caller: alice,
      identity: [allow({ Condition: { StringEquals: { 'kms:KeySpec': 'RSA_2048' } } })],
      conditions: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' },
    },
    no,
  ],
  [
    'a property of a key, where there is none',
    {
      caller: alice,
      permission: 'kms:ListKeys',
      identity: [allow({ Condition: { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } } })],
    },
    no,
  ],
  ['another account', { caller: bob, identity: [allow()] }, 'identity-policy'],
  ['another root user', { caller: stranger }, 'account-root'],
]

const aliases: readonly Row[] = [
  ['the alias', { caller: alice, identity: [allow({ Resource: alias })] }, 'identity-policy'],
  ['another alias', { caller: alice, identity: [allow({ Resource: `${alias}2` })] }, no],
  [
    'a pattern of aliases',
    { caller: alice, identity: [allow({ Resource: alias.replace('app', 'a*') })] },
    'identity-policy',
  ],
  [
    'keys only',
    { caller: alice, identity: [allow({ Resource: `arn:aws:kms:*:${home}:key/*` })] },
    no,
  ],
  ['root', { caller: owner }, 'account-root'],
]

export const withoutKey: readonly DecisionCase[] = [
  ...rows.map(([name, given, expected]) => ({
    ...{ rule: '4.2 (4) operations without a key', name, on: '*', ...given, expected },
  })),
  ...aliases.map(([name, given, expected]) => ({
    ...{ rule: '5 CreateAlias @ alias', name, on: alias, permission: 'kms:CreateAlias' },
    ...{ ...given, expected },
  })),
]
