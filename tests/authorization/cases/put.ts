/** What is refused when a policy is put, and in which words; and what KMS takes although IAM would not. */
import { abroad, home } from '../people.ts'

export type PutCase = {
  readonly rule: string
  readonly name: string
  /** As it is sent. */
  readonly text: string
  /** AWS's text; undefined: it is taken. */
  readonly refused?: string | RegExp
}

type Json = Readonly<Record<string, unknown>>

const principal = { AWS: `arn:aws:iam::${home}:root` }
const statement = (changes: Json = {}) => ({
  ...{ Effect: 'Allow', Principal: principal, Action: 'kms:*', Resource: '*' },
  ...changes,
})
const document = (statements: unknown, changes: Json = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements, ...changes })
/** One that keeps the caller in power, and one more. */
const beside = (changes: Json) => document([statement(), statement(changes)])
const naming = (AWS: unknown) => beside({ Principal: { AWS } })

/** AWS's words for mistakes of syntax are not known. */
const syntax = /^Policy contains a syntax error at line \d+, column \d+/
const invalid = 'Policy contains a statement with one or more invalid principals.'
const lockout = 'The new key policy will not allow you to update the key policy in the future.'
const permissive = (what: string) =>
  `OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests without the specified ${what} or with an unspecified ${what}. To fix, remove ForAllValues.`
const forAll = (key: string, operator = 'ForAllValues:StringEquals') =>
  beside({ Condition: { [operator]: { [key]: 'x' } } })
const user = `arn:aws:iam::${home}:user/alice`

type Row = readonly [rule: string, name: string, text: string, refused?: string | RegExp]

const rows: readonly Row[] = [
  ['1.1', 'no JSON', 'Allow all', syntax],
  ['1.1', 'JSON and more', `${document(statement())}}`, syntax],
  ['1.1', 'a list of policies', `[${document(statement())}]`, syntax],
  ['1.1', 'no Statement', '{"Version":"2012-10-17"}', syntax],
  ['1.1', 'no statements', document([]), syntax],
  ['1.1', 'an unknown version', document(statement(), { Version: '2012-10-18' }), syntax],
  ['1.1', 'an unknown member', document(statement(), { Statements: [] }), syntax],
  [
    '1.1 duplicate members',
    'of a statement',
    document(statement()).replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'),
    syntax,
  ],
  [
    '1.1 duplicate members',
    'of the policy',
    document(statement()).replace('{', '{"Version":"2012-10-17",'),
    syntax,
  ],
  [
    '1.1 duplicate members',
    'of a condition',
    beside({ Condition: { StringEquals: { 'aws:username': 'a' } } }).replace(
      '"aws:username":"a"',
      '"aws:username":"a","aws:username":"b"',
    ),
    syntax,
  ],
  ['1.1 characters', 'beyond Latin-1', beside({ Sid: 'Ж' }), syntax],
  [
    '1.1 characters',
    'beyond Latin-1, escaped',
    beside({ Sid: 'Z' }).replace('"Z"', '"\\u0416"'),
    syntax,
  ],
  ['1.1 characters', 'within Latin-1', beside({ Sid: 'é' })],
  [
    '1.1 characters',
    'a control character',
    beside({ Sid: 'Z' }).replace('"Z"', '"\\u0007"'),
    syntax,
  ],
  ['1.1 Effect', 'is case-sensitive', beside({ Effect: 'allow' }), syntax],
  ['1.1 Effect', 'is required', beside({ Effect: undefined }), syntax],
  ['1.1 Action', 'Action and NotAction', beside({ NotAction: 'kms:Sign' }), syntax],
  ['1.1 Action', 'two colons', beside({ Action: 'kms:Sign:x' }), syntax],
  ['1.1 Action', 'no vendor', beside({ Action: 'Sign' }), syntax],
  ['1.1 Resource', 'Resource and NotResource', beside({ NotResource: '*' }), syntax],
  ['1.1 Principal', 'Principal and NotPrincipal', beside({ NotPrincipal: principal }), syntax],
  [
    '1.1 Condition',
    'no such operator',
    beside({ Condition: { StringMatches: { 'aws:username': 'a' } } }),
    syntax,
  ],
  [
    '2.1',
    'operators are spelled exactly',
    beside({ Condition: { stringequals: { 'aws:username': 'a' } } }),
    syntax,
  ],
  [
    '2.2',
    'Null takes no IfExists',
    beside({ Condition: { NullIfExists: { 'aws:username': 'true' } } }),
    syntax,
  ],
  [
    '2.3',
    'a variable without its brace',
    beside({ Condition: { StringEquals: { 'aws:userid': '${' + 'aws:username' } } }),
    syntax,
  ],
  [
    '2.3',
    'a variable before the fifth colon',
    beside({ Resource: 'arn:aws:kms:${' + 'aws:RequestedRegion}:1:key/x' }),
    syntax,
  ],

  ['1.2', 'without Resource', beside({ Resource: undefined })],
  ['1.2', 'without Action', beside({ Action: undefined })],
  ['1.2', 'without Principal', beside({ Principal: undefined }), syntax],
  ['1.2', 'with no principal', beside({ Principal: { AWS: [] } }), syntax],
  [
    '1.2',
    'the ARN of another key',
    beside({ Resource: `arn:aws:kms:eu-west-1:${home}:key/other` }),
  ],
  ['1.1 Sid', 'with spaces', beside({ Sid: 'Allow use of the key' })],
  ['1.1 Id', 'any text', document(statement(), { Id: 'key-consolepolicy-3' })],
  ['1.1 Statement', 'a bare object', document(statement())],
  ['1.1 Version', 'of 2008', document(statement(), { Version: '2008-10-17' })],
  ['1.1 Version', 'missing', document(statement(), { Version: undefined })],

  ['1.3', 'everyone, bare', beside({ Principal: '*' })],
  ['1.3', 'everyone', naming('*')],
  ['1.3', 'an account id', naming(abroad)],
  ['1.3', 'a user', naming(user)],
  ['1.3', 'a role with its path', naming(`arn:aws:iam::${home}:role/ops/Worker`)],
  ['1.3', 'a session', naming(`arn:aws:sts::${home}:assumed-role/Worker/day`)],
  ['1.3', 'a service', beside({ Principal: { Service: ['logs.us-east-1.amazonaws.com'] } })],
  ['1.3', 'a user that is not there', naming(user.replace('alice', 'nobody')), invalid],
  ['1.3', 'a user in another case', naming(user.replace('alice', 'ALICE')), invalid],
  ['1.3', 'an account that is not there', naming('777788889999'), invalid],
  ['1.3', 'a user without its path', naming(`arn:aws:iam::${home}:role/Worker`), invalid],
  ['1.3', 'a wildcard in an ARN', naming(`arn:aws:iam::${home}:user/*`), invalid],
  ['1.3', 'any session', naming(`arn:aws:sts::${home}:assumed-role/Worker/*`), invalid],
  ['1.2', 'a group', naming(`arn:aws:iam::${home}:group/admins`), invalid],
  ['1.3', 'a name', naming('alice'), invalid],
  ['1.3', 'the unique id of one that is gone', naming('AIDAFORMERALICE00000'), invalid],
  ['1.3', 'the unique id of a role', naming('AROAFORMERWORKER0000'), invalid],
  [
    '1.3',
    'an OpenID provider',
    beside({ Principal: { Federated: `arn:aws:iam::${home}:oidc-provider/idp.example.com` } }),
    invalid,
  ],
  ['1.3', 'a canonical user', beside({ Principal: { CanonicalUser: 'x' } }), invalid],
  ['1.3', 'one bad principal of several', naming([user, 'nobody']), invalid],
  [
    '1.3',
    'a bad principal in a Deny',
    beside({ Effect: 'Deny', Action: 'kms:Sign', Principal: { AWS: 'nobody' } }),
    invalid,
  ],

  [
    '1.2 ForAllValues',
    'of the encryption context',
    forAll('kms:EncryptionContext:Dept'),
    permissive('encryption context'),
  ],
  [
    '1.2 ForAllValues',
    'whatever the case',
    forAll('KMS:encryptionCONTEXT:dept'),
    permissive('encryption context'),
  ],
  ['1.2 ForAllValues', 'of a request tag', forAll('aws:RequestTag/team'), permissive('tag')],
  [
    '1.2 ForAllValues',
    'with IfExists',
    forAll('aws:RequestTag/team', 'ForAllValues:StringLikeIfExists'),
    permissive('tag'),
  ],
  ['1.2 ForAllValues', 'of keys of several values', forAll('kms:EncryptionContextKeys')],
  ['1.2 ForAllValues', 'of aws:TagKeys', forAll('aws:TagKeys')],
  [
    '1.2 ForAllValues',
    'ForAnyValue is none',
    forAll('kms:EncryptionContext:Dept', 'ForAnyValue:StringEquals'),
  ],

  ['1.4 lockout', 'nobody may put', document(statement({ Action: 'kms:Decrypt' })), lockout],
  ['1.4 lockout', 'another may put', document(statement({ Principal: { AWS: abroad } })), lockout],
  [
    '1.4 lockout',
    'it is denied',
    document([statement(), statement({ Effect: 'Deny', Action: 'kms:Put*' })]),
    lockout,
  ],
  ['1.4 lockout', 'an inert statement', document(statement({ Resource: undefined })), lockout],
  [
    '1.4 lockout',
    'a condition that this call does not meet',
    document(statement({ Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } })),
    lockout,
  ],
  [
    '1.4 lockout',
    'PutKeyPolicy alone is enough',
    document(statement({ Action: 'kms:PutKeyPolicy' })),
  ],

  [
    '1.4 order',
    'structure before principals',
    beside({ Principal: { AWS: 'nobody' }, Effect: 'x' }),
    syntax,
  ],
  [
    '1.4 order',
    'principals before ForAllValues',
    beside({
      Principal: { AWS: 'nobody' },
      Condition: { 'ForAllValues:StringEquals': { 'aws:RequestTag/a': 'x' } },
    }),
    invalid,
  ],
  [
    '1.4 order',
    'ForAllValues before lockout',
    document(
      statement({
        Action: 'kms:Sign',
        Condition: { 'ForAllValues:StringEquals': { 'aws:RequestTag/a': 'x' } },
      }),
    ),
    permissive('tag'),
  ],
  [
    '1.4 order',
    'principals before lockout',
    document(statement({ Principal: { AWS: 'nobody' } })),
    invalid,
  ],
]

export const keyPolicies: readonly PutCase[] = rows.map(([rule, name, text, refused]) =>
  refused === undefined ? { rule, name, text } : { rule, name, text, refused },
)

const own = (changes: Json = {}) =>
  document({ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...changes })
const wrong = 'Syntax errors in policy.'
const legacy = 'The policy failed legacy parsing'
const vendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'

const identityRows: readonly Row[] = [
  ['1.4 IAM', 'a policy', own()],
  ['1.4 IAM', 'no JSON', '{', wrong],
  ['1.4 IAM', 'no statement', '{"Version":"2012-10-17"}', wrong],
  [
    '1.1 duplicate members',
    'of a statement',
    own().replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'),
    wrong,
  ],
  ['1.1 Id', 'is for resource policies', document([], { Id: 'x' }), wrong],
  ['1.1 Effect', 'is case-sensitive', own({ Effect: 'ALLOW' }), wrong],
  [
    '1.4 IAM',
    'of 2008',
    document({ Effect: 'Allow', Action: '*', Resource: '*' }, { Version: '2008-10-17' }),
    'Policy document must be version 2012-10-17 or greater.',
  ],
  [
    '1.4 IAM',
    'the same Sid',
    document([1, 2].map(() => ({ Sid: 'a', Effect: 'Allow', Action: '*', Resource: '*' }))),
    'Statement IDs (SID) in a single policy must be unique.',
  ],
  ['1.1 Sid', 'with a space', own({ Sid: 'a b' }), wrong],
  ['1.4 IAM', 'no actions', own({ Action: undefined }), 'Policy statement must contain actions.'],
  [
    '1.4 IAM',
    'no resources',
    own({ Resource: undefined }),
    'Policy statement must contain resources.',
  ],
  ['1.4 IAM', 'an action without vendor', own({ Action: 'Decrypt' }), vendor],
  [
    '1.4 IAM',
    'a condition key without vendor',
    own({ Condition: { Bool: { mfa: 'true' } } }),
    vendor,
  ],
  [
    '1.4 IAM',
    'two colons',
    own({ Action: 'kms:a:b' }),
    'Actions/Condition can contain only one colon.',
  ],
  ['1.4 IAM', 'no such vendor', own({ Action: 'k_ms:a' }), 'Vendor k_ms is not valid'],
  [
    '1.4 IAM',
    'a wildcard for a vendor',
    own({ Resource: 'arn:aws:*:*:*:x' }),
    'Resource vendor must be fully qualified and cannot contain regexes.',
  ],
  [
    '1.4 IAM',
    'a Region in IAM',
    own({ Resource: `arn:aws:iam:eu-west-1:${home}:user/a` }),
    `IAM resource arn:aws:iam:eu-west-1:${home}:user/a cannot contain region information.`,
  ],
  [
    '1.4 IAM',
    'a value that is no date',
    own({ Condition: { DateLessThan: { 'aws:CurrentTime': 'soon' } } }),
    legacy,
  ],
  [
    '1.1 Principal',
    'is for resource policies',
    own({ Principal: '*' }),
    'Policy document should not specify a principal.',
  ],
]

export const identityPolicies: readonly PutCase[] = identityRows.map(
  ([rule, name, text, refused]) =>
    refused === undefined ? { rule, name, text } : { rule, name, text, refused },
)

const trust = (changes: Json = {}) =>
  document({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...changes })

const trustRows: readonly Row[] = [
  ['1.4 trust', 'a trust policy', trust()],
  ['1.4 trust', 'no JSON', '{', 'This policy contains invalid Json'],
  ['1.4 trust', 'a resource', trust({ Resource: '*' }), 'Has prohibited field Resource'],
  [
    '13',
    'NotPrincipal',
    trust({ Principal: undefined, NotPrincipal: principal }),
    'AssumeRole policy must not contain NotPrincipal field.',
  ],
  [
    '7.3',
    'an action of another service',
    trust({ Action: 'kms:Decrypt' }),
    'AssumeRole policy may only specify STS AssumeRole actions.',
  ],
  [
    '1.3',
    'a user that is not there',
    trust({ Principal: { AWS: user.replace('alice', 'nobody') } }),
    `Invalid principal in policy: "AWS":"${user.replace('alice', 'nobody')}"`,
  ],
  [
    '1.3',
    'a group',
    trust({ Principal: { AWS: `arn:aws:iam::${home}:group/a` } }),
    `Invalid principal in policy: "AWS":"arn:aws:iam::${home}:group/a"`,
  ],
  [
    '1.4 trust',
    'the same Sid',
    document(
      [1, 2].map(() => ({
        Sid: 'a',
        Effect: 'Allow',
        Principal: principal,
        Action: 'sts:AssumeRole',
      })),
    ),
    'Statement IDs (SID) in a single policy must be unique.',
  ],
]

export const trustPolicies: readonly PutCase[] = trustRows.map(([rule, name, text, refused]) =>
  refused === undefined ? { rule, name, text } : { rule, name, text, refused },
)
