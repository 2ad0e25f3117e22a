/** Elements of a statement: what they match, in which case, and the statements that match nothing. */
import {
  against,
  allow,
  type DecisionCase,
  deny,
  rootOf,
  type Statement,
  to,
  type Verdict,
} from '../case.ts'
import { alice, home, keyArn, owner } from '../people.ts'

const no = 'no-key-policy-allows'

type Row = readonly [rule: string, name: string, Statement, permission: string, Verdict]

const decrypt = 'kms:Decrypt'
const keyPath = keyArn.slice(0, keyArn.lastIndexOf('/') + 1)

/** Of a key policy whose statement is for everyone. */
const rows: readonly Row[] = [
  ['1.1 Action', 'exact', { Action: 'kms:Decrypt' }, decrypt, 'E'],
  ['1.1 Action', 'another', { Action: 'kms:Encrypt' }, decrypt, no],
  ['1.1 Action', 'a part of the name', { Action: 'kms:Decryp' }, decrypt, no],
  ['1.1 Action', 'the name and more', { Action: 'kms:Decrypted' }, decrypt, no],
  ['1.1 Action', 'a list', { Action: ['kms:Encrypt', 'kms:Decrypt'] }, decrypt, 'E'],
  ['1.1 Action', 'a list without it', { Action: ['kms:Encrypt', 'kms:Sign'] }, decrypt, no],
  ['1.1 Action case', 'the vendor', { Action: 'KMS:Decrypt' }, decrypt, 'E'],
  ['1.1 Action case', 'the name', { Action: 'kms:dECRYPT' }, decrypt, 'E'],
  ['1.1 Action case', 'under a wildcard', { Action: 'kms:DE*' }, decrypt, 'E'],
  ['1.1 Action wildcards', 'all', { Action: '*' }, decrypt, 'E'],
  ['1.1 Action wildcards', 'of KMS', { Action: 'kms:*' }, decrypt, 'E'],
  ['1.1 Action wildcards', 'of another service', { Action: 's3:*' }, decrypt, no],
  ['1.1 Action wildcards', 'in the middle', { Action: 'kms:D*t' }, decrypt, 'E'],
  ['1.1 Action wildcards', 'one character', { Action: 'kms:?ecrypt' }, decrypt, 'E'],
  ['1.1 Action wildcards', 'one character too few', { Action: 'kms:?crypt' }, decrypt, no],
  ['1.1 Action wildcards', 'an empty run', { Action: 'kms:Decrypt*' }, decrypt, 'E'],
  [
    '5 ReEncrypt',
    'both sides by one pattern',
    { Action: 'kms:ReEncrypt*' },
    'kms:ReEncryptFrom',
    'E',
  ],
  [
    '5 ReEncrypt',
    'both sides by one pattern',
    { Action: 'kms:ReEncrypt*' },
    'kms:ReEncryptTo',
    'E',
  ],
  ['5 ReEncrypt', 'no such permission', { Action: 'kms:ReEncrypt' }, 'kms:ReEncryptFrom', no],
  ['4.7 Create*', 'includes CreateGrant', { Action: 'kms:Create*' }, 'kms:CreateGrant', 'E'],
  ['4.7 Put*', 'includes PutKeyPolicy', { Action: 'kms:Put*' }, 'kms:PutKeyPolicy', 'E'],
  ['4.7 Get*', 'includes GetPublicKey', { Action: 'kms:Get*' }, 'kms:GetPublicKey', 'E'],
  ['1.1 NotAction', 'another', { Action: undefined, NotAction: 'kms:Encrypt' }, decrypt, 'E'],
  ['1.1 NotAction', 'this', { Action: undefined, NotAction: 'kms:Decrypt' }, decrypt, no],
  ['1.1 NotAction case', 'this', { Action: undefined, NotAction: 'KMS:decrypt' }, decrypt, no],
  ['1.1 NotAction', 'a pattern', { Action: undefined, NotAction: 'kms:De*' }, decrypt, no],
  [
    '1.1 NotAction',
    'one of a list',
    { Action: undefined, NotAction: ['a:b', decrypt] },
    decrypt,
    no,
  ],
  ['1.1 NotAction', 'all', { Action: undefined, NotAction: '*' }, decrypt, no],

  ['1.1 Resource', 'this key by star', { Resource: '*' }, decrypt, 'E'],
  ['1.1 Resource', 'this key by ARN', { Resource: keyArn }, decrypt, 'E'],
  ['1.2 another key', 'is accepted and does not match', { Resource: `${keyArn}0` }, decrypt, no],
  ['1.1 Resource', 'one of a list', { Resource: [`${keyArn}0`, keyArn] }, decrypt, 'E'],
  ['2.2 Resource', 'a pattern of ids', { Resource: `${keyPath}*` }, decrypt, 'E'],
  [
    '2.2 Resource',
    'a pattern of Regions',
    { Resource: keyArn.replace('eu-west-1', '*') },
    decrypt,
    'E',
  ],
  [
    '2.2 Resource',
    'another Region',
    { Resource: keyArn.replace('eu-west-1', 'us-*') },
    decrypt,
    no,
  ],
  ['2.2 Resource case', 'another case', { Resource: keyArn.replace('key/', 'KEY/') }, decrypt, no],
  ['2.2 Resource', 'one character', { Resource: `${keyArn.slice(0, -1)}?` }, decrypt, 'E'],
  ['2.2 Resource', 'a star crosses slashes', { Resource: `arn:aws:kms:*:${home}:*` }, decrypt, 'E'],
  [
    '5 alias ARN',
    'gives no use of its key',
    { Resource: `arn:aws:kms:*:${home}:alias/*` },
    decrypt,
    no,
  ],
  ['1.1 NotResource', 'another', { Resource: undefined, NotResource: `${keyArn}0` }, decrypt, 'E'],
  ['1.1 NotResource', 'this', { Resource: undefined, NotResource: keyArn }, decrypt, no],
  ['1.1 NotResource', 'all', { Resource: undefined, NotResource: '*' }, decrypt, no],

  ['1.2 without Resource', 'matches nothing', { Resource: undefined }, decrypt, no],
  ['1.2 without Action', 'matches nothing', { Action: undefined }, decrypt, no],
  ['1.2 without both', 'matches nothing', { Action: undefined, Resource: undefined }, decrypt, no],
]

const statements = (...policy: readonly Statement[]) => policy

const several: readonly DecisionCase[] = [
  ['1.1 Statement', 'one object', to('*'), 'E'],
  ['1.1 Statement', 'a list', statements(to('*', { Action: 'a:b' }), to('*')), 'E'],
  [
    '1.1 Statement',
    'statements do not add up',
    statements(to('*', { Action: 'a:b' }), to('*', { Resource: 'arn:a' })),
    no,
  ],
  ['1.1 Sid', 'means nothing', statements(to('*', { Sid: 'Deny all of it' })), 'E'],
  [
    '4.1 step 2',
    'a Deny behind an Allow',
    statements(to('*'), against('*')),
    'explicit-deny-in-key-policy',
  ],
  [
    '4.1 step 2',
    'a Deny before an Allow',
    statements(against('*'), to('*')),
    'explicit-deny-in-key-policy',
  ],
  [
    '1.2 inert Deny',
    'without Action',
    statements(to('*'), against('*', { Action: undefined })),
    'E',
  ],
  [
    '1.2 inert Deny',
    'without Resource',
    statements(to('*'), against('*', { Resource: undefined })),
    'E',
  ],
  [
    '1.2 another key',
    'a Deny of it',
    statements(to('*'), against('*', { Resource: `${keyArn}0` })),
    'E',
  ],
  [
    '1.1 NotAction',
    'a Deny of all others',
    statements(to('*'), against('*', { Action: undefined, NotAction: 'kms:Decrypt' })),
    'E',
  ],
  [
    '1.1 NotAction',
    'a Deny that includes it',
    statements(to('*'), against('*', { Action: undefined, NotAction: 'kms:Encrypt' })),
    'explicit-deny-in-key-policy',
  ],
].map(([rule, name, policy, expected]) => ({
  rule: rule as string,
  name: name as string,
  caller: owner,
  policy: policy as Statement | readonly Statement[],
  expected: expected as Verdict,
}))

/** Conditions of one statement all have to hold. */
const blue = { 'aws:PrincipalTag/team': 'blue' }
const isBlue = { 'aws:PrincipalTag/team': 'blue' }
const isTeam = { 'aws:PrincipalTag/stage': 'live' }
const conditions = (Condition: object, values: object, expected: Verdict): DecisionCase => ({
  rule: '2.1 combination',
  name: `${JSON.stringify(Condition)} on ${JSON.stringify(values)}`,
  caller: owner,
  policy: to('*', { Condition }),
  conditions: values as Readonly<Record<string, string>>,
  expected,
})
const both = { ...blue, 'aws:PrincipalTag/stage': 'live' }

const combined: readonly DecisionCase[] = [
  conditions({}, {}, 'E'),
  conditions({ StringEquals: { ...isBlue, ...isTeam } }, both, 'E'),
  conditions({ StringEquals: { ...isBlue, ...isTeam } }, blue, no),
  conditions({ StringEquals: isBlue, StringLike: isTeam }, both, 'E'),
  conditions({ StringEquals: isBlue, StringLike: isTeam }, blue, no),
  conditions({ StringEquals: isBlue, Null: { 'aws:PrincipalTag/stage': true } }, blue, 'E'),
  conditions({ StringEquals: isBlue, Null: { 'aws:PrincipalTag/stage': true } }, both, no),
  conditions({ StringEquals: isBlue, StringNotEquals: isBlue }, blue, no),
]

/** The same elements in a policy that belongs to its caller. */
const identity = (rule: string, name: string, own: Statement, expected: Verdict): DecisionCase => ({
  rule,
  name: `identity policy: ${name}`,
  caller: alice,
  policy: to(rootOf(home)),
  identity: [own],
  expected,
})
const none = 'no-identity-policy-allows'

const ofIdentities: readonly DecisionCase[] = [
  identity('1.1 Action', 'this', allow({ Action: 'kms:Decrypt' }), 'F'),
  identity('1.1 Action', 'another', allow({ Action: 'kms:Encrypt' }), none),
  identity('1.1 NotAction', 'another', allow({ Action: undefined, NotAction: 'iam:*' }), 'F'),
  identity('1.1 NotAction', 'this', allow({ Action: undefined, NotAction: 'kms:*' }), none),
  identity('1.1 Resource', 'this key', allow({ Resource: keyArn }), 'F'),
  identity('1.1 Resource', 'another key', allow({ Resource: `${keyPath}x` }), none),
  identity(
    '5 alias ARN',
    'gives no use',
    allow({ Resource: `arn:aws:kms:*:${home}:alias/*` }),
    none,
  ),
  identity(
    '1.1 NotResource',
    'another',
    allow({ Resource: undefined, NotResource: `${keyPath}x` }),
    'F',
  ),
  identity('1.1 NotResource', 'this', allow({ Resource: undefined, NotResource: keyArn }), none),
  identity('1.1 Effect', 'Deny', deny({ Resource: keyArn }), 'explicit-deny-in-identity-policy'),
  identity('1.1 Effect', 'Deny of another key', deny({ Resource: `${keyPath}x` }), none),
]

export const elements: readonly DecisionCase[] = [
  ...rows.map(([rule, name, changes, permission, expected]) => ({
    ...{ rule, name, caller: owner, permission, expected },
    policy: to('*', changes),
  })),
  ...several,
  ...combined,
  ...ofIdentities,
]
