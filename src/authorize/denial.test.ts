import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DenialReason } from './decision.ts'
import { denialText, unknownResourceDenial } from './denial.ts'
import { compilePolicy } from './policy/compile.ts'
import { abroad, home, keyArn, policyText, root, session, statement } from './test-samples.ts'

const policy = compilePolicy(policyText(statement()))
const key = { type: 'key', arn: keyArn, account: home, policy, crossAccount: true } as const
const caller = session(home, 'Worker', 'shift-1')
const request = { caller, permission: 'kms:Decrypt', resource: key, conditions: [] }
const text = (reason: DenialReason, changes: Partial<typeof request> = {}) =>
  denialText({ ...request, ...changes }, { allowed: false, reason })

test('a denial names the caller, the action, the key and one layer', () => {
  const subject = `User: arn:aws:sts::${home}:assumed-role/Worker/shift-1 is not authorized to perform: kms:Decrypt on resource: ${keyArn}`
  const cases: [DenialReason, string][] = [
    ['no-key-policy-allows', ' because no resource-based policy allows the kms:Decrypt action'],
    [
      'no-identity-policy-allows',
      ' because no identity-based policy allows the kms:Decrypt action',
    ],
    ['explicit-deny-in-key-policy', ' with an explicit deny in a resource-based policy'],
    ['explicit-deny-in-identity-policy', ' with an explicit deny in an identity-based policy'],
  ]
  for (const [reason, suffix] of cases) assert.equal(text(reason), subject + suffix)
})

test('a denial without a key', () => {
  assert.equal(
    denialText(
      {
        caller: root(home),
        permission: 'kms:ListKeys',
        resource: { type: 'identity', arn: '*', account: home },
        conditions: [],
      },
      { allowed: false, reason: 'no-identity-policy-allows' },
    ),
    `User: arn:aws:iam::${home}:root is not authorized to perform: kms:ListKeys on resource: * because no identity-based policy allows the kms:ListKeys action`,
  )
})

test('a stranger cannot tell a key that refuses from a key that is not there', () => {
  const stranger = session(abroad, 'Worker', 'shift-1')
  const unknown = unknownResourceDenial(stranger, 'kms:Decrypt')
  assert.equal(
    unknown,
    `User: arn:aws:sts::${abroad}:assumed-role/Worker/shift-1 is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
  )
  for (const reason of [
    'cross-account-operation',
    'explicit-deny-in-key-policy',
    'no-key-policy-allows',
  ] as const) {
    assert.equal(text(reason, { caller: stranger }), unknown)
  }
  assert.match(
    text('no-identity-policy-allows', { caller: stranger }),
    new RegExp(`${keyArn} because no identity-based policy allows the kms:Decrypt action$`),
  )
})
