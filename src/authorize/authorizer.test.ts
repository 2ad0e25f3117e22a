import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizer, type PermissionCheck } from './authorizer.ts'
import { defaultKeyPolicy } from './defaults.ts'
import { PolicyCache } from './policy/cache.ts'
import { abroad, home, keyArn, policyText, refused, root, statement, user } from './test-samples.ts'

const authorize = authorizer(new PolicyCache())
const check = (policy: string): PermissionCheck => ({
  permission: 'kms:Decrypt',
  resource: { type: 'key', arn: keyArn, account: home, policy, crossAccount: true },
  conditions: { 'kms:EncryptionContext:dept': 'finance' },
})
const nothing = { globalConditions: {} }

test('a denied call throws with the text of AWS, and the reason for the operator', () => {
  const byDefault = check(defaultKeyPolicy(home))
  authorize(root(home), byDefault, nothing)
  assert.throws(
    () => authorize(user(home, 'alice'), byDefault, nothing),
    (error: unknown) => {
      refused(
        'access-denied',
        /because no identity-based policy allows the kms:Decrypt action$/,
      )(error)
      assert.equal(Reflect.get(Object(error), 'detail'), 'no-identity-policy-allows')
      return true
    },
  )
  assert.throws(
    () => authorize(root(abroad), byDefault, nothing),
    refused('access-denied', /on this resource because the resource does not exist/),
  )
})

test('conditions of the check and of the call both count', () => {
  const condition = {
    StringEquals: { 'kms:EncryptionContext:Dept': 'finance', 'aws:SourceIp': '192.0.2.1' },
  }
  const guarded = check(policyText(statement({ Condition: condition })))
  authorize(root(home), guarded, { globalConditions: { 'aws:SourceIp': '192.0.2.1' } })
  for (const globalConditions of [{}, { 'aws:SourceIp': '192.0.2.2' }]) {
    assert.throws(
      () => authorize(root(home), guarded, { globalConditions }),
      refused('access-denied', /because no resource-based policy allows/),
    )
  }
})

test('without a key the account decides', () => {
  const list: PermissionCheck = {
    permission: 'kms:ListKeys',
    resource: { type: 'identity', arn: '*', account: home },
    conditions: {},
  }
  authorize(root(home), list, nothing)
  assert.throws(
    () => authorize(user(home, 'alice'), list, nothing),
    refused('access-denied', /on resource: \* because no identity-based policy allows/),
  )
})
