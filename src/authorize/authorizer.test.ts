import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceError } from '../base/errors.ts'
import { authorizer, type PermissionCheck } from './authorizer.ts'
import { defaultKeyPolicy } from './defaults.ts'
import { noLayers } from './layers.ts'
import { PolicyCache } from './policy/cache.ts'
import {
  abroad,
  home,
  keyArn,
  layers,
  own,
  policyText,
  refused,
  root,
  sources,
  statement,
  stored,
  user,
} from './test-samples.ts'

const withoutPolicies = { of: () => noLayers, ofResources: () => [] }
const authorize = authorizer(new PolicyCache(), withoutPolicies)

function denial(...asked: Parameters<typeof authorize>): ServiceError {
  const { denied } = authorize(...asked)
  assert.ok(denied !== undefined)
  return denied
}

const check = (policy: string): PermissionCheck => ({
  permission: 'kms:Decrypt',
  resource: { type: 'key', arn: keyArn, account: home, policy, crossAccount: true },
  conditions: { 'kms:EncryptionContext:dept': 'finance' },
})
const nothing = { globalConditions: {} }

const allows = (...asked: Parameters<typeof authorize>) => authorize(...asked).denied === undefined

test('a denial has the text of AWS, and the reason for the operator', () => {
  const byDefault = check(defaultKeyPolicy(home))
  assert.ok(allows(root(home), byDefault, nothing))
  const denied = denial(user(home, 'alice'), byDefault, nothing)
  refused(
    'access-denied',
    /because no identity-based policy allows the kms:Decrypt action$/,
  )(denied)
  assert.equal(denied.detail, 'no-identity-policy-allows')
  refused(
    'access-denied',
    /on this resource because the resource does not exist/,
  )(denial(root(abroad), byDefault, nothing))
})

test('conditions of the check and of the call both count', () => {
  const condition = {
    StringEquals: { 'kms:EncryptionContext:Dept': 'finance', 'aws:SourceIp': '192.0.2.1' },
  }
  const guarded = check(policyText(statement({ Condition: condition })))
  assert.ok(allows(root(home), guarded, { globalConditions: { 'aws:SourceIp': '192.0.2.1' } }))
  for (const globalConditions of [{}, { 'aws:SourceIp': '192.0.2.2' }]) {
    const denied = denial(root(home), guarded, { globalConditions })
    refused('access-denied', /because no resource-based policy allows/)(denied)
  }
})

test('without a key the account decides', () => {
  const list: PermissionCheck = {
    permission: 'kms:ListKeys',
    resource: { type: 'identity', arn: '*', account: home },
    conditions: {},
  }
  assert.ok(allows(root(home), list, nothing))
  refused(
    'access-denied',
    /on resource: \* because no identity-based policy allows/,
  )(denial(user(home, 'alice'), list, nothing))
})

test('the layers are those of the caller, and of the account of the resource', () => {
  const asked: string[] = []
  const withLayers = authorizer(new PolicyCache(), {
    of: ({ arn }) => {
      asked.push(arn)
      return layers({ identity: [own({ Effect: 'Deny' })] })
    },
    ofResources: (account) => {
      asked.push(account)
      return [sources([own({ Effect: 'Deny', Principal: '*' })], 'resource-control')]
    },
  })
  const alice = user(abroad, 'alice')
  const { denied, evidence } = withLayers(alice, check(policyText(statement())), nothing)
  assert.deepEqual(asked, [alice.arn, home])
  assert.equal(denied?.detail, 'explicit-deny-in-resource-control-policy')
  assert.equal(evidence.decision.allowed, false)
})

test('a role is decided by its trust policy, in its own language', () => {
  const alice = user(home, 'alice')
  const trust = stored(
    own({ Principal: { AWS: alice.arn }, Action: 'sts:*', Resource: undefined }),
    'trust',
  )
  const assume = { permission: 'sts:AssumeRole', conditions: {} }
  const role = {
    type: 'role',
    arn: `arn:aws:iam::${home}:role/R`,
    account: home,
    policy: trust,
  } as const
  assert.ok(allows(alice, { ...assume, resource: role }, nothing))
  refused(
    'access-denied',
    /because no role trust policy allows the sts:AssumeRole action$/,
  )(denial(user(home, 'bob'), { ...assume, resource: role }, nothing))
})
