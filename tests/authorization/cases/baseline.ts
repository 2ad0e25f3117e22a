/** The default key policy, and those that AWS's console writes for administrators and users. */
import { allow, type DecisionCase, rootOf, to, type Verdict } from '../case.ts'
import { abroad, alice, ann, bob, day, guest, home, owner, workerArn } from '../people.ts'

const account = to(rootOf(home), { Action: 'kms:*', Sid: 'Enable IAM User Permissions' })
const administration = [
  ...['Create*', 'Describe*', 'Enable*', 'List*', 'Put*', 'Update*', 'Revoke*', 'Disable*'],
  ...[
    'Get*',
    'Delete*',
    'TagResource',
    'UntagResource',
    'ScheduleKeyDeletion',
    'CancelKeyDeletion',
  ],
].map((name) => `kms:${name}`)
const use = ['Encrypt', 'Decrypt', 'ReEncrypt*', 'GenerateDataKey*', 'DescribeKey'].map(
  (name) => `kms:${name}`,
)
const attach = {
  Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
  Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
}
const console = [
  account,
  to(ann.arn, { Action: administration }),
  to([workerArn, rootOf(abroad)], { Action: use }),
  to([workerArn, rootOf(abroad)], attach),
]
const no = 'no-identity-policy-allows'

type Row = readonly [
  name: string,
  permission: string,
  Omit<DecisionCase, 'rule' | 'name' | 'expected'>,
  Verdict,
]

const rows: readonly Row[] = [
  ['root', 'kms:ScheduleKeyDeletion', { caller: owner, policy: account }, 'G'],
  [
    'a user with leave',
    'kms:Decrypt',
    { caller: alice, policy: account, identity: [allow()] },
    'F',
  ],
  ['a user without leave', 'kms:Decrypt', { caller: alice, policy: account }, no],
  [
    'another account',
    'kms:Decrypt',
    { caller: bob, policy: account, identity: [allow()] },
    'no-key-policy-allows',
  ],

  ['administrator', 'kms:DisableKey', { caller: ann, policy: console }, 'A'],
  ['administrator', 'kms:ScheduleKeyDeletion', { caller: ann, policy: console }, 'A'],
  ['administrator', 'kms:PutKeyPolicy', { caller: ann, policy: console }, 'A'],
  ['administrator', 'kms:CreateGrant', { caller: ann, policy: console }, 'A'],
  ['administrator', 'kms:GetPublicKey', { caller: ann, policy: console }, 'A'],
  ['administrator', 'kms:TagResource', { caller: ann, policy: console }, 'A'],
  ['administrator', 'kms:Decrypt', { caller: ann, policy: console }, no],
  ['administrator', 'kms:Encrypt', { caller: ann, policy: console }, no],
  ['administrator', 'kms:GenerateDataKey', { caller: ann, policy: console }, no],
  ['administrator', 'kms:ReEncryptFrom', { caller: ann, policy: console }, no],
  ['administrator', 'kms:Sign', { caller: ann, policy: console }, no],
  ['administrator', 'kms:ReplicateKey', { caller: ann, policy: console }, no],
  ['administrator', 'kms:ImportKeyMaterial', { caller: ann, policy: console }, no],

  ['user', 'kms:Decrypt', { caller: day, policy: console }, 'C'],
  ['user', 'kms:GenerateDataKeyWithoutPlaintext', { caller: day, policy: console }, 'C'],
  ['user', 'kms:ReEncryptTo', { caller: day, policy: console }, 'C'],
  ['user', 'kms:DescribeKey', { caller: day, policy: console }, 'C'],
  ['user', 'kms:DisableKey', { caller: day, policy: console }, no],
  ['user', 'kms:PutKeyPolicy', { caller: day, policy: console }, no],
  ['user', 'kms:CreateGrant', { caller: day, policy: console }, no],
  [
    'user, itself',
    'kms:CreateGrant',
    { caller: day, policy: console, conditions: { 'kms:GrantIsForAWSResource': 'false' } },
    no,
  ],
  [
    'user, through a service',
    'kms:CreateGrant',
    { caller: day, policy: console, conditions: { 'kms:GrantIsForAWSResource': 'true' } },
    'C',
  ],
  ['other account', 'kms:Decrypt', { caller: guest, policy: console, identity: [allow()] }, 'F'],
  ['other account', 'kms:Decrypt', { caller: guest, policy: console }, no],
]

export const baseline: readonly DecisionCase[] = rows.map(
  ([name, permission, given, expected]) => ({
    rule: permission === 'kms:CreateGrant' ? '4.7 wildcard trap' : '4.7 console policy',
    name: `${name}: ${permission}`,
    permission,
    ...given,
    expected,
  }),
)

/** Who may retire a grant is said by the grant alone. */
export const retiring: readonly DecisionCase[] = [
  {
    name: 'a key policy that allows it',
    caller: alice,
    policy: to(alice.arn),
    expected: 'no-key-policy-allows',
  },
  {
    name: 'a key policy that allows everyone',
    caller: owner,
    policy: to('*'),
    expected: 'no-key-policy-allows',
  },
  {
    name: 'the account, with an identity policy',
    caller: alice,
    policy: to(home),
    identity: [allow()],
    expected: 'no-key-policy-allows',
  },
  { name: 'the grant', caller: alice, policy: to(owner.arn), grant: 'user', expected: 'H' },
  {
    name: 'the grant, and a Deny',
    caller: alice,
    policy: [to('*'), { ...to('*', { Action: 'kms:RetireGrant' }), Effect: 'Deny' }],
    grant: 'user',
    expected: 'explicit-deny-in-key-policy',
  },
  {
    name: 'an account that may retire it, without leave',
    caller: alice,
    policy: to(home),
    grant: 'account',
    expected: no,
  },
  {
    name: 'an account that may retire it, with leave',
    caller: alice,
    policy: to(home),
    grant: 'account',
    identity: [allow({ Action: 'kms:RetireGrant' })],
    expected: 'H',
  },
].map(
  (given): DecisionCase => ({
    ...{ rule: '4.5 Retire', permission: 'kms:RetireGrant' },
    ...(given as Omit<DecisionCase, 'rule'>),
  }),
)
