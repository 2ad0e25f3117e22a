import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitKeyPolicy, type PolicyAdmission } from './admit.ts'
import { wouldLockOut } from './lockout.ts'
import { compilePolicy } from './policy/compile.ts'
import type { Principal } from './policy/principal.ts'
import {
  abroad,
  home,
  keyArn,
  policyText,
  refused,
  root,
  type StatementJson,
  session,
  statement,
  user,
} from './test-samples.ts'

const admission: PolicyAdmission = {
  caller: root(home),
  keyArn,
  keyAccount: home,
  conditions: [],
  principalExists: () => true,
  bypassLockoutSafetyCheck: false,
}

const admit = (
  statements: StatementJson | readonly StatementJson[],
  changes: Partial<PolicyAdmission> = {},
) => admitKeyPolicy(policyText(statements), { ...admission, ...changes })

const lockout = /^The new key policy will not allow you to update the key policy in the future\.$/
const invalid = /^Policy contains a statement with one or more invalid principals\.$/

test('a policy under which the caller could not put a policy is refused', () => {
  const locked: StatementJson[][] = [
    [statement({ Action: 'kms:Decrypt' })],
    [statement({ Principal: { AWS: abroad } })],
    [statement({ Resource: undefined })],
    [statement(), statement({ Effect: 'Deny', Action: 'kms:Put*' })],
    [statement({ Condition: { Bool: { 'kms:BypassPolicyLockoutSafetyCheck': true } } })],
    [statement({ Resource: `${keyArn}0` })],
  ]
  for (const statements of locked) {
    assert.throws(() => admit(statements), refused('malformed-policy', lockout))
    assert.equal(admit(statements, { bypassLockoutSafetyCheck: true }).allows.length, 1)
  }
  assert.equal(admit(statement({ Action: 'kms:PutKeyPolicy' })).allows.length, 1)
  assert.equal(admit(statement({ Principal: { AWS: home } })).allows.length, 1)
})

test('the lockout check counts what the caller may do besides', () => {
  const delegating = compilePolicy(policyText(statement({ Principal: { AWS: home } })))
  const own = compilePolicy(policyText(statement({ Principal: undefined })), 'identity')
  for (const caller of [user(home, 'alice'), session(home, 'Worker', 'shift-1')]) {
    assert.equal(wouldLockOut(delegating, caller, keyArn, home, []), true)
    assert.equal(wouldLockOut(delegating, caller, keyArn, home, [], [own]), false)
  }
  assert.equal(wouldLockOut(delegating, root(home), keyArn, home, []), false)
  assert.equal(wouldLockOut(delegating, root(abroad), keyArn, home, []), true)
  const tls = compilePolicy(
    policyText(statement({ Condition: { Bool: { 'aws:SecureTransport': true } } })),
  )
  assert.equal(wouldLockOut(tls, root(home), keyArn, home, []), true)
  const overTls = [{ 'aws:SecureTransport': 'true' }]
  assert.equal(wouldLockOut(tls, root(home), keyArn, home, overTls), false)
})

test('principals that do not exist are refused, whatever the statement says of them', () => {
  const alice = user(home, 'alice').arn
  const asked: Principal[] = []
  const principalExists = (principal: Principal) => {
    asked.push(principal)
    return principal.type !== 'user'
  }
  const known = statement({
    Principal: { AWS: ['*', home, root(abroad).arn], Service: 'logs.amazonaws.com' },
  })
  admit(known, { principalExists })
  assert.deepEqual(asked, [
    { type: 'account', account: home },
    { type: 'account', account: abroad },
    { type: 'service', name: 'logs.amazonaws.com' },
  ])
  for (const member of ['Principal', 'NotPrincipal']) {
    const naming = statement({ Principal: undefined, [member]: { AWS: alice }, Action: undefined })
    assert.throws(
      () => admit([known, naming], { principalExists, bypassLockoutSafetyCheck: true }),
      refused('malformed-policy', invalid),
    )
  }
})

test('ForAllValues on a key of one value is refused', () => {
  const text = (what: string) =>
    `OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests without the specified ${what} or with an unspecified ${what}. To fix, remove ForAllValues.`
  const condition = (operator: string, key: string) =>
    statement({ Condition: { [operator]: { [key]: 'x' } } })
  const cases = [
    ['ForAllValues:StringEquals', 'kms:EncryptionContext:dept', 'encryption context'],
    ['ForAllValues:StringLikeIfExists', 'KMS:encryptioncontext:dept', 'encryption context'],
    ['ForAllValues:StringEquals', 'aws:RequestTag/team', 'tag'],
  ] as const
  for (const [operator, key, what] of cases) {
    assert.throws(
      () => admit(condition(operator, key), { bypassLockoutSafetyCheck: true }),
      (error: unknown) => error instanceof Error && error.message === text(what),
    )
  }
  for (const [operator, key] of [
    ['ForAllValues:StringEquals', 'kms:EncryptionContextKeys'],
    ['ForAllValues:StringEquals', 'aws:TagKeys'],
    ['ForAnyValue:StringEquals', 'kms:EncryptionContext:dept'],
    ['StringEquals', 'aws:RequestTag/team'],
  ] as const) {
    admit([statement(), condition(operator, key)])
  }
})

test('checks come in order: structure, principals, ForAllValues, lockout', () => {
  const wrong = {
    structure: { Sid: 1 },
    principal: { Principal: { AWS: user(home, 'nobody').arn } },
    condition: { Condition: { 'ForAllValues:StringEquals': { 'aws:RequestTag/a': 'x' } } },
    lockout: { Action: 'kms:Decrypt' },
  }
  const principalExists = (principal: Principal) => principal.type !== 'user'
  const order: [changes: StatementJson, message: RegExp][] = [
    [{ ...wrong.lockout, ...wrong.condition, ...wrong.principal, ...wrong.structure }, /Sid must/],
    [{ ...wrong.lockout, ...wrong.condition, ...wrong.principal }, invalid],
    [{ ...wrong.lockout, ...wrong.condition }, /^OverlyPermissiveCondition/],
    [wrong.lockout, lockout],
  ]
  for (const [changes, message] of order) {
    assert.throws(
      () => admit(statement(changes), { principalExists }),
      refused('malformed-policy', message),
    )
  }
  assert.throws(() => admitKeyPolicy(' '.repeat(40_000), admission), refused('limit-exceeded'))
})
