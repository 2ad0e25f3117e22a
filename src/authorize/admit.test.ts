import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitKeyPolicy, type PolicyAdmission } from './admit.ts'
import { wouldLockOut } from './lockout.ts'
import type { PrincipalNames } from './policy/bind.ts'
import type { Principal } from './policy/principal.ts'
import {
  abroad,
  home,
  keyArn,
  layers,
  names,
  own,
  policy,
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
  principals: names,
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
    assert.equal(admit(statements, { bypassLockoutSafetyCheck: true }), policyText(statements))
  }
  for (const enough of [{ Action: 'kms:PutKeyPolicy' }, { Principal: { AWS: home } }]) {
    assert.equal(admit(statement(enough)), policyText(statement(enough)))
  }
})

test('the lockout check counts what the caller may do besides', () => {
  const delegating = policy(statement({ Principal: { AWS: home } }))
  for (const caller of [user(home, 'alice'), session(home, 'Worker', 'shift-1')]) {
    assert.equal(wouldLockOut(delegating, caller, keyArn, home, []), true)
    const asked = [delegating, caller, keyArn, home, []] as const
    assert.equal(wouldLockOut(...asked, layers({ identity: [own()] })), false)
    const bounded = layers({ identity: [own()], boundary: own({ Action: 'kms:Decrypt' }) })
    assert.equal(wouldLockOut(...asked, bounded), true)
  }
  assert.equal(wouldLockOut(delegating, root(home), keyArn, home, []), false)
  assert.equal(wouldLockOut(delegating, root(abroad), keyArn, home, []), true)
  const tls = policy(statement({ Condition: { Bool: { 'aws:SecureTransport': true } } }))
  assert.equal(wouldLockOut(tls, root(home), keyArn, home, []), true)
  const overTls = [{ 'aws:SecureTransport': 'true' }]
  assert.equal(wouldLockOut(tls, root(home), keyArn, home, overTls), false)
})

/** Users are not there, and all others are. */
function withoutUsers(asked: Principal[] = []): Pick<PrincipalNames, 'idOf'> {
  return {
    idOf: (principal) => {
      asked.push(principal)
      return principal.type === 'user' ? undefined : names.idOf(principal)
    },
  }
}

test('principals that do not exist are refused, whatever the statement says of them', () => {
  const alice = user(home, 'alice').arn
  const asked: Principal[] = []
  const principals = withoutUsers(asked)
  const known = statement({
    Principal: { AWS: ['*', home, root(abroad).arn], Service: 'logs.amazonaws.com' },
  })
  assert.equal(admit(known, { principals }), policyText(known))
  assert.deepEqual(asked, [
    { type: 'everyone' },
    { type: 'account', account: home },
    { type: 'account', account: abroad },
    { type: 'service', name: 'logs.amazonaws.com' },
  ])
  for (const member of ['Principal', 'NotPrincipal']) {
    const naming = statement({ Principal: undefined, [member]: { AWS: alice }, Action: undefined })
    assert.throws(
      () => admit([known, naming], { principals, bypassLockoutSafetyCheck: true }),
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
  const order: [changes: StatementJson, message: RegExp][] = [
    [{ ...wrong.lockout, ...wrong.condition, ...wrong.principal, ...wrong.structure }, /Sid must/],
    [{ ...wrong.lockout, ...wrong.condition, ...wrong.principal }, invalid],
    [{ ...wrong.lockout, ...wrong.condition }, /^OverlyPermissiveCondition/],
    [wrong.lockout, lockout],
  ]
  for (const [changes, message] of order) {
    assert.throws(
      () => admit(statement(changes), { principals: withoutUsers() }),
      refused('malformed-policy', message),
    )
  }
  assert.throws(() => admitKeyPolicy(' '.repeat(40_000), admission), refused('limit-exceeded'))
})
