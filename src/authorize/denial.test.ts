import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import type { DenialReason } from './decision.ts'
import {
  denialText,
  isResourceSideDenial,
  unknownResourceDenial,
  unknownRoleDenial,
} from './denial.ts'
import type { AccessRequest, AccessResource } from './request.ts'
import {
  abroad,
  home,
  keyArn,
  policy,
  root,
  session,
  statement,
  webIdentity,
} from './test-samples.ts'

const compiled = policy(statement())
const key: AccessResource = {
  ...{ type: 'key', arn: keyArn, account: home, policy: compiled, crossAccount: true },
}
const roleArn = `arn:aws:iam::${home}:role/app/Target`
const role: AccessResource = { type: 'role', arn: roleArn, account: home, policy: compiled }
const caller = session(home, 'Worker', 'shift-1')
const stranger = session(abroad, 'Worker', 'shift-1')

const text = (reason: DenialReason, changes: Partial<AccessRequest> = {}, policyArn?: string) =>
  denialText(
    { caller, permission: 'kms:Decrypt', resource: key, conditions: [], ...changes },
    policyArn === undefined ? { allowed: false, reason } : { allowed: false, reason, policyArn },
  )

const reasons: Readonly<Record<DenialReason, string>> = {
  'cross-account-operation': 'because no resource-based policy allows the kms:Decrypt action',
  'explicit-deny-in-service-control-policy': 'with an explicit deny in a service control policy',
  'explicit-deny-in-resource-control-policy': 'with an explicit deny in a resource control policy',
  'explicit-deny-in-key-policy': 'with an explicit deny in a resource-based policy',
  'explicit-deny-in-bucket-policy': 'with an explicit deny in a resource-based policy',
  'explicit-deny-in-trust-policy': 'with an explicit deny in the role trust policy',
  'explicit-deny-in-identity-policy': 'with an explicit deny in an identity-based policy',
  'explicit-deny-in-permissions-boundary': 'with an explicit deny in a permissions boundary',
  'explicit-deny-in-session-policy': 'with an explicit deny in a sessions policy',
  'no-service-control-policy-allows':
    'because no service control policy allows the kms:Decrypt action',
  'no-resource-control-policy-allows':
    'because no resource control policy allows the kms:Decrypt action',
  'no-key-policy-allows': 'because no resource-based policy allows the kms:Decrypt action',
  'no-bucket-policy-allows': 'because no resource-based policy allows the kms:Decrypt action',
  'no-trust-policy-allows': 'because no role trust policy allows the kms:Decrypt action',
  'no-identity-policy-allows': 'because no identity-based policy allows the kms:Decrypt action',
  'no-permissions-boundary-allows': 'because no permissions boundary allows the kms:Decrypt action',
  'no-session-policy-allows': 'because no session policy allows the kms:Decrypt action',
  'too-much-work': 'because no resource-based policy allows the kms:Decrypt action',
}
const all = Object.keys(reasons) as readonly DenialReason[]

test('a denial names the caller, the action, the resource and one layer', () => {
  const subject = `User: arn:aws:sts::${home}:assumed-role/Worker/shift-1 is not authorized to perform: kms:Decrypt on resource: ${keyArn}`
  for (const reason of all) assert.equal(text(reason), `${subject} ${reasons[reason]}`)
})

test('an explicit denial names its policy', () => {
  const arn = `arn:aws:organizations::${home}:policy/o-1/service_control_policy/p-1`
  assert.ok(
    text('explicit-deny-in-service-control-policy', {}, arn).endsWith(
      `with an explicit deny in a service control policy: ${arn}`,
    ),
  )
})

test('a denial without a key', () => {
  const list = {
    ...{ caller: root(home), permission: 'kms:ListKeys' },
    resource: { type: 'identity', arn: '*', account: home },
  } as const
  const denial = `User: arn:aws:iam::${home}:root is not authorized to perform: kms:ListKeys on resource: * because no identity-based policy allows the kms:ListKeys action`
  assert.equal(text('no-identity-policy-allows', list), denial)
  assert.equal(text('too-much-work', list), denial)
})

test('a denial of a role', () => {
  const assume = { permission: 'sts:AssumeRole', resource: role }
  const subject = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`
  const implicit = `${subject} because no role trust policy allows the sts:AssumeRole action`
  assert.equal(text('no-trust-policy-allows', assume), implicit)
  assert.equal(text('too-much-work', assume), implicit)
  assert.equal(
    text('explicit-deny-in-trust-policy', assume),
    `${subject} with an explicit deny in the role trust policy`,
  )
})

test('a stranger cannot tell a key that refuses from a key that is not there', () => {
  const unknown = unknownResourceDenial(stranger, 'kms:Decrypt')
  assert.equal(
    unknown,
    `User: arn:aws:sts::${abroad}:assumed-role/Worker/shift-1 is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
  )
  const arn = `arn:aws:organizations::${home}:policy/o-1/resource_control_policy/p-1`
  for (const reason of all) {
    const given = text(reason, { caller: stranger }, arn)
    if (isResourceSideDenial({ allowed: false, reason })) assert.equal(given, unknown)
    else assert.ok(given.endsWith(`${keyArn} ${reasons[reason]}: ${arn}`), given)
  }
})

test("the resource's side is what belongs to the resource's account", () => {
  assert.deepEqual(
    all.filter((reason) => isResourceSideDenial({ allowed: false, reason })),
    [
      'cross-account-operation',
      'explicit-deny-in-resource-control-policy',
      'explicit-deny-in-key-policy',
      'explicit-deny-in-bucket-policy',
      'explicit-deny-in-trust-policy',
      'no-resource-control-policy-allows',
      'no-key-policy-allows',
      'no-bucket-policy-allows',
      'no-trust-policy-allows',
      'too-much-work',
    ],
  )
})

test('nor a role that refuses from a role that is not there', () => {
  const assume = { permission: 'sts:AssumeRole', resource: role, caller: stranger }
  const unknown = unknownRoleDenial(stranger, 'sts:AssumeRole', roleArn)
  assert.equal(
    unknown,
    `User: ${stranger.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
  )
  for (const reason of all) {
    if (isResourceSideDenial({ allowed: false, reason })) {
      assert.equal(text(reason, assume), unknown)
    }
  }
  assert.match(
    text('no-identity-policy-allows', assume),
    /because no identity-based policy allows the sts:AssumeRole action$/,
  )
})

test('a web identity learns nothing at all', () => {
  const nobody: Caller = webIdentity(home)
  const permission = 'sts:AssumeRoleWithWebIdentity'
  for (const reason of all) {
    assert.equal(
      text(reason, { caller: nobody, permission, resource: role }, 'arn:aws:iam::aws:policy/P'),
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    )
  }
})
