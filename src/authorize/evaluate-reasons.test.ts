import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decide } from './evaluate.ts'
import { alice, bob, type Case, naming, requestOf } from './test-layers.ts'
import { abroad, home, own, root } from './test-samples.ts'

/** What the record of an allowed call says, and which path of the rules it went. */
type Reason = readonly [reason: string, path?: string]

// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and, for roles,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
describe('an allowed call says what allowed it:', () => {
  const assume = { type: 'role', permission: 'sts:AssumeRole' } as const
  const assuming = { Action: 'sts:AssumeRole' }
  const may = [own({ Action: '*' })]
  const cases: readonly (readonly [what: string, Case, Reason])[] = [
    ['the key policy names the user', { policy: [naming(alice.arn)] }, ['key-policy', 'A']],
    [
      'it names the account',
      { policy: [naming(home)], identity: may },
      ['key-and-identity-policy', 'F'],
    ],
    [
      'it names the account, of the root user',
      { caller: root(home), policy: [naming(home)] },
      ['key-policy', 'G'],
    ],
    [
      'it names a user of another account, whose own policies agree',
      { caller: bob, policy: [naming(bob.arn)], identity: may },
      ['key-and-identity-policy', 'A'],
    ],
    [
      'everyone, abroad too',
      { caller: bob, policy: [naming('*')], identity: may },
      ['key-and-identity-policy', 'E'],
    ],
    [
      'everyone, abroad too, and the root user needs nobody',
      { caller: root(abroad), policy: [naming('*')] },
      ['key-policy', 'E'],
    ],
    [
      'the trust policy names the user',
      { ...assume, policy: [naming(alice.arn, assuming)] },
      ['trust-policy', 'A'],
    ],
    [
      'it names the account',
      { ...assume, policy: [naming(home, assuming)], identity: may },
      ['trust-and-identity-policy', 'F'],
    ],
    [
      'it names a user of another account',
      { ...assume, caller: bob, policy: [naming(bob.arn, assuming)], identity: may },
      ['trust-and-identity-policy', 'A'],
    ],
  ]
  for (const [what, asked, [reason, path]] of cases) {
    const { type = 'key' } = asked
    test(`${type}: ${what}`, () => {
      assert.deepEqual(decide(requestOf(asked)), { allowed: true, reason, path })
    })
  }
})

// https://docs.aws.amazon.com/kms/latest/developerguide/grant-manage.html: a grant says who may retire it.
test('to be named by the key policy is no leave to retire a grant', () => {
  const retire = { permission: 'kms:RetireGrant', policy: [naming(alice.arn)] } as const
  assert.deepEqual(decide(requestOf(retire)), { allowed: false, reason: 'no-key-policy-allows' })
})

// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-resource-aliases
test('only policies of identities see the aliases of a key', () => {
  const ofAlias = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/a' } }
  const denied = own({ Effect: 'Deny', Condition: ofAlias })
  const reason = (asked: Case) =>
    decide({
      ...requestOf({ policy: [naming(alice.arn)], ...asked }),
      conditions: [{ 'kms:ResourceAliases': ['alias/a'] }],
    }).reason
  const full = own({ Action: '*', Resource: '*' })
  assert.equal(reason({ resourceControl: [[full, denied]] }), 'key-policy')
  const byKey = naming('*', { Effect: 'Deny', Condition: ofAlias })
  assert.equal(reason({ policy: [naming(alice.arn), byKey] }), 'key-policy')
  const without = own({ Action: '*', Condition: ofAlias })
  assert.equal(reason({ resourceControl: [[without]] }), 'no-resource-control-policy-allows')
  assert.equal(reason({ serviceControl: [[without]] }), 'key-policy')
  for (const [asked, by] of [
    [{ serviceControl: [[full, denied]] }, 'service-control'],
    [{ identity: [denied] }, 'identity'],
    [{ session: [full, denied] }, 'session'],
  ] as const) {
    assert.equal(reason(asked), `explicit-deny-in-${by}-policy`)
  }
})
