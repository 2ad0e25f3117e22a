// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are written so.
/** What a real request says of each condition key, and what it does not. */
import {
  CreateGrantCommand,
  DecryptCommand,
  EncryptCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms'
import { arns, home, type Player, region, type StageKey, type WireCase } from './stage.ts'
import { allow, nothing, to } from './statements.ts'

const Plaintext = Buffer.from('x')
const within =
  (EncryptionContext: Record<string, string>) =>
  (kms: KMSClient, { arn }: StageKey) =>
    kms.send(new EncryptCommand({ KeyId: arn, Plaintext, EncryptionContext }))
const byAlias = (kms: KMSClient, { alias }: StageKey) =>
  kms.send(new EncryptCommand({ KeyId: alias, Plaintext }))

type Row = readonly [
  rule: string,
  Condition: object,
  holds: boolean,
  more?: Partial<WireCase> & { readonly who?: Player },
]

const dept = 'kms:EncryptionContext:Dept'
const finance = { StringEquals: { [dept]: 'Finance' } }

/** Of a key policy that is for everyone under one condition. */
const rows: readonly Row[] = [
  ['3.1 EncryptionContext', finance, true, { call: within({ Dept: 'Finance' }) }],
  ['3.1 EncryptionContext, no match', finance, false, { call: within({ Dept: 'finance' }) }],
  ['3.1 EncryptionContext, missing', finance, false],
  ['2.1 key names ignore case', finance, true, { call: within({ dEPT: 'Finance' }) }],
  ['2.2 StringNotEquals missing key', { StringNotEquals: { [dept]: 'Finance' } }, true],
  ['2.2 IfExists missing key', { StringEqualsIfExists: { [dept]: 'Finance' } }, true],
  [
    '2.2 StringLike',
    { StringLike: { [dept]: 'Fin*' } },
    true,
    { call: within({ Dept: 'Fin/ance' }) },
  ],
  ['2.2 Null', { Null: { [dept]: 'false' } }, false],
  [
    '3.1 EncryptionContextKeys',
    { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': 'Dept' } },
    true,
    { call: within({ Dept: 'x' }) },
  ],
  [
    '3.1 EncryptionContextKeys, case',
    { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': 'Dept' } },
    false,
    { call: within({ dept: 'x' }) },
  ],
  [
    '2.2 ForAllValues missing key',
    { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': 'Dept' } },
    true,
  ],
  [
    '2.2 ForAnyValue missing key',
    { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'Dept' } },
    false,
  ],
  [
    '2.2 ForAnyValue',
    { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'Dept' } },
    true,
    { call: within({ Dept: 'x', Other: 'y' }) },
  ],
  [
    '2.1 several values without a set operator',
    { StringEquals: { 'kms:EncryptionContextKeys': ['Dept', 'Other'] } },
    false,
    { call: within({ Dept: 'x', Other: 'y' }) },
  ],
  [
    '3.1 EncryptionAlgorithm is filled in',
    { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } },
    true,
  ],
  ['3.1 CallerAccount', { StringEquals: { 'kms:CallerAccount': home } }, true],
  ['3.1 CallerAccount', { StringNotEquals: { 'kms:CallerAccount': home } }, false],
  [
    '3.1 KeySpec, KeyUsage, KeyOrigin',
    {
      StringEquals: {
        'kms:KeySpec': 'SYMMETRIC_DEFAULT',
        'kms:KeyUsage': 'ENCRYPT_DECRYPT',
        'kms:KeyOrigin': 'AWS_KMS',
        'kms:CustomerMasterKeySpec': 'SYMMETRIC_DEFAULT',
        'kms:CustomerMasterKeyUsage': 'ENCRYPT_DECRYPT',
      },
    },
    true,
  ],
  ['3.1 MultiRegion', { Bool: { 'kms:MultiRegion': 'false' } }, true],
  ['3.1 MultiRegionKeyType is absent', { Null: { 'kms:MultiRegionKeyType': 'true' } }, true],
  [
    '3.1 RequestAlias',
    { StringEquals: { 'kms:RequestAlias': 'alias/stage' } },
    true,
    { call: byAlias },
  ],
  ['3.1 RequestAlias, by ARN', { StringEquals: { 'kms:RequestAlias': 'alias/stage' } }, false],
  [
    '3.1 ResourceAliases, in a key policy',
    { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/stage' } },
    false,
  ],
  ['3.1 ViaService is absent', { Null: { 'kms:ViaService': 'true' } }, true],
  ['3.2 ViaAWSService', { Bool: { 'aws:ViaAWSService': 'false' } }, true],
  ['3.2 PrincipalArn', { ArnEquals: { 'aws:PrincipalArn': arns.alice } }, true],
  [
    '3.2 PrincipalArn of a session',
    { ArnEquals: { 'aws:PrincipalArn': arns.worker } },
    true,
    { who: 'worker' },
  ],
  [
    '3.2 PrincipalArn is no session ARN',
    { ArnEquals: { 'aws:PrincipalArn': arns.job } },
    false,
    { who: 'worker' },
  ],
  ['3.2 PrincipalAccount', { StringEquals: { 'aws:PrincipalAccount': home } }, true],
  ['2.3 PrincipalType', { StringEquals: { 'aws:PrincipalType': 'User' } }, true],
  [
    '2.3 PrincipalType',
    { StringEquals: { 'aws:PrincipalType': 'AssumedRole' } },
    true,
    { who: 'worker' },
  ],
  [
    '2.3 PrincipalType',
    { StringEquals: { 'aws:PrincipalType': 'Account' } },
    true,
    { who: 'owner' },
  ],
  ['2.3 aws:username', { StringEquals: { 'aws:username': 'alice' } }, true],
  ['2.3 aws:username of a session', { Null: { 'aws:username': 'true' } }, true, { who: 'worker' }],
  ['2.3 aws:userid', { StringLike: { 'aws:userid': 'AIDA*' } }, true],
  ['2.3 aws:userid', { StringLike: { 'aws:userid': 'AROA*:job' } }, true, { who: 'worker' }],
  ['2.3 aws:userid', { StringEquals: { 'aws:userid': home } }, true, { who: 'owner' }],
  ['3.2 PrincipalTag', { StringEquals: { 'aws:PrincipalTag/Team': 'blue' } }, true],
  [
    '3.2 PrincipalTag, missing',
    { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
    false,
    { who: 'owner' },
  ],
  [
    '3.2 PrincipalTag of a role',
    { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
    true,
    { who: 'worker' },
  ],
  [
    '7.3 session tags override',
    { StringEquals: { 'aws:PrincipalTag/team': 'red' } },
    true,
    { who: 'worker', session: { Tags: [{ Key: 'TEAM', Value: 'red' }] } },
  ],
  [
    '7.3 session tags override',
    { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
    false,
    { who: 'worker', session: { Tags: [{ Key: 'TEAM', Value: 'red' }] } },
  ],
  ['3.2 ResourceTag', { StringEquals: { 'aws:ResourceTag/team': 'blue' } }, true],
  ['2.3 variables', { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } }, true],
  [
    '2.3 variables, no match',
    { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
    false,
    { who: 'worker', session: { Tags: [{ Key: 'team', Value: 'red' }] } },
  ],
  [
    '2.3 literal substitution',
    { StringLike: { 'aws:ResourceTag/team': '${kms:EncryptionContext:Dept}' } },
    false,
    { call: within({ Dept: '*' }) },
  ],
  [
    '2.3 source',
    { StringLike: { 'aws:ResourceTag/team': '${kms:EncryptionContext:Dept}' } },
    true,
    { call: within({ Dept: 'blue' }) },
  ],
  [
    '2.3 unresolvable',
    { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/absent}' } },
    false,
  ],
  [
    '2.3 unresolvable, negated',
    { StringNotEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/absent}' } },
    true,
  ],
  [
    '2.3 default',
    { StringEquals: { 'aws:ResourceTag/team': "${aws:PrincipalTag/absent, 'blue'}" } },
    true,
  ],
  ['3.2 SourceIp', { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, true],
  ['3.2 SourceIp, no match', { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }, false],
  ['3.2 SourceIp, negated', { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }, true],
  ['3.2 SecureTransport', { Bool: { 'aws:SecureTransport': 'true' } }, false],
  ['3.2 UserAgent', { StringLike: { 'aws:UserAgent': '*aws-sdk-js*' } }, true],
  ['3.2 RequestedRegion', { StringEquals: { 'aws:RequestedRegion': region } }, true],
  ['3.2 CurrentTime', { DateGreaterThan: { 'aws:CurrentTime': '2024-01-01T00:00:00Z' } }, true],
  ['3.2 EpochTime', { NumericLessThan: { 'aws:EpochTime': '1704067200' } }, false],
  [
    '3.2 MultiFactorAuthPresent, long-term',
    { Null: { 'aws:MultiFactorAuthPresent': 'true' } },
    true,
  ],
  [
    '3.2 MultiFactorAuthPresent, session',
    { Bool: { 'aws:MultiFactorAuthPresent': 'false' } },
    true,
    { who: 'aliceSession' },
  ],
  ['3.2 TokenIssueTime, long-term', { Null: { 'aws:TokenIssueTime': 'true' } }, true],
  [
    '3.2 TokenIssueTime, session',
    { DateGreaterThan: { 'aws:TokenIssueTime': '2024-01-01' } },
    true,
    { who: 'worker' },
  ],
  [
    '3.2 SourceIdentity',
    { StringEquals: { 'aws:SourceIdentity': 'mona' } },
    true,
    { who: 'worker', session: { SourceIdentity: 'mona' } },
  ],
  [
    '3.2 SourceIdentity, missing',
    { StringEquals: { 'aws:SourceIdentity': 'mona' } },
    false,
    { who: 'worker' },
  ],
  ['13 PrincipalIsAWSService', { Bool: { 'aws:PrincipalIsAWSService': 'false' } }, true],
]

const ofKeyPolicies: readonly WireCase[] = rows.map(([rule, Condition, holds, more = {}]) => ({
  who: 'alice',
  name: `${JSON.stringify(Condition)}: ${holds}`,
  rule,
  policy: to('*', { Condition }),
  ...(holds ? {} : { denied: nothing.resource }),
  ...more,
}))

/** Keys of other operations than Encrypt. */
const ofOperations: readonly WireCase[] = [
  ...(
    [
      [
        'kms:GrantOperations',
        { 'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Decrypt', 'Encrypt'] } },
        true,
      ],
      [
        'kms:GrantOperations, no match',
        { 'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt'] } },
        false,
      ],
      ['kms:GranteePrincipal', { StringEquals: { 'kms:GranteePrincipal': arns.worker } }, true],
      [
        'kms:GranteePrincipal, no match',
        { StringEquals: { 'kms:GranteePrincipal': arns.alice } },
        false,
      ],
      ['kms:RetiringPrincipal, missing', { Null: { 'kms:RetiringPrincipal': 'true' } }, true],
      [
        'kms:GrantConstraintType',
        { StringEquals: { 'kms:GrantConstraintType': 'EncryptionContextSubset' } },
        true,
      ],
      [
        'kms:EncryptionContext of a constraint',
        { StringEquals: { 'kms:EncryptionContext:dept': 'x' } },
        true,
      ],
      ['kms:GrantIsForAWSResource', { Bool: { 'kms:GrantIsForAWSResource': 'true' } }, false],
    ] as const
  ).map(
    ([name, Condition, holds]): WireCase => ({
      rule: '3.1 CreateGrant',
      name: `${name}: ${holds}`,
      who: 'alice',
      policy: to(arns.alice, { Condition }),
      permission: 'kms:CreateGrant',
      call: (kms, { arn }) =>
        kms.send(
          new CreateGrantCommand({
            KeyId: arn,
            GranteePrincipal: arns.worker,
            Operations: ['Decrypt'],
            Constraints: { EncryptionContextSubset: { dept: 'x' } },
          }),
        ),
      ...(holds
        ? {}
        : { denied: 'because no resource-based policy allows the kms:CreateGrant action' }),
    }),
  ),
  ...(
    [
      [['team', 'stage'], true],
      [['team'], false],
    ] as const
  ).map(
    ([keys, holds]): WireCase => ({
      rule: '3.2 TagKeys',
      name: `${keys}: ${holds}`,
      who: 'alice',
      policy: to(arns.alice, {
        Condition: {
          'ForAllValues:StringEquals': { 'aws:TagKeys': keys },
          StringEquals: { 'aws:RequestTag/stage': 'live' },
        },
      }),
      permission: 'kms:TagResource',
      call: (kms, { id }) =>
        kms.send(
          new TagResourceCommand({ KeyId: id, Tags: [{ TagKey: 'stage', TagValue: 'live' }] }),
        ),
      ...(holds
        ? {}
        : { denied: 'because no resource-based policy allows the kms:TagResource action' }),
    }),
  ),
  {
    rule: '3.2 UntagResource has TagKeys only',
    name: 'a value is never there',
    who: 'alice',
    policy: to(arns.alice, { Condition: { StringLike: { 'aws:RequestTag/stage': '*' } } }),
    permission: 'kms:UntagResource',
    call: (kms, { id }) => kms.send(new UntagResourceCommand({ KeyId: id, TagKeys: ['stage'] })),
    denied: 'because no resource-based policy allows the kms:UntagResource action',
  },
  {
    rule: '3.1 ScheduleKeyDeletionPendingWindowInDays',
    name: 'less than the policy wants',
    who: 'alice',
    policy: to(arns.alice, {
      Condition: {
        NumericGreaterThanEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '20' },
      },
    }),
    permission: 'kms:ScheduleKeyDeletion',
    call: (kms, { id }) =>
      kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 })),
    denied: 'because no resource-based policy allows the kms:ScheduleKeyDeletion action',
  },
  {
    rule: '3.1 RequestAlias',
    name: 'absent for Decrypt without KeyId',
    who: 'alice',
    policy: [
      to(arns.alice, { Action: 'kms:Encrypt' }),
      to(arns.alice, {
        Action: 'kms:Decrypt',
        Condition: { StringEquals: { 'kms:RequestAlias': 'alias/stage' } },
      }),
    ],
    permission: 'kms:Decrypt',
    call: async (kms, { alias }) => {
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: alias, Plaintext }))
      await kms.send(new DecryptCommand({ CiphertextBlob, KeyId: alias }))
      await kms.send(new DecryptCommand({ CiphertextBlob }))
    },
    denied: 'because no resource-based policy allows the kms:Decrypt action',
  },
]

/** Of an identity policy, under a key policy that delegates. */
const ofIdentities: readonly WireCase[] = (
  [
    [
      '3.1 ResourceAliases, in an identity policy',
      { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/stage' } },
      true,
    ],
    [
      '3.1 ResourceAliases, no match',
      { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/other' } },
      false,
    ],
    [
      '3.2 ResourceTag',
      { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
      true,
    ],
    [
      '3.2 ResourceAccount',
      { StringEquals: { 'aws:ResourceAccount': '${aws:PrincipalAccount}' } },
      true,
    ],
  ] as const
).map(([rule, Condition, holds]) => ({
  rule,
  name: `identity policy: ${holds}`,
  who: 'alice',
  policy: to(home),
  identity: allow({ Condition }),
  ...(holds ? {} : { denied: nothing.identity }),
}))

export const conditions: readonly WireCase[] = [...ofKeyPolicies, ...ofOperations, ...ofIdentities]
