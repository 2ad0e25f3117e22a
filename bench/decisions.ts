import { decide, judge } from '../src/authorize/evaluate.ts'
import { type CallerLayers, noLayers, type SourcedPolicy } from '../src/authorize/layers.ts'
import { type CompiledPolicy, compilePolicy } from '../src/authorize/policy/compile.ts'
import type { PolicyKind } from '../src/authorize/policy/document.ts'
import type { AccessRequest } from '../src/authorize/request.ts'
import type { Caller } from '../src/base/caller.ts'
import { parseAccountId } from '../src/base/ids.ts'

/**
 * `node bench/decisions.ts`: what one decision takes, in microseconds of this thread's CPU: the median of the rounds,
 * and the slowest. Texts are compiled before, as the service does once for each. The bounds are 5 µs for a usual key
 * policy and 50 µs for one of 32 KB.
 */
const account = parseAccountId('111122223333')
if (account === undefined) throw new Error('an account id has twelve digits')
const keyArn = `arn:aws:kms:eu-west-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
const userId = 'AIDACKCEVSQ6C2EXAMPLE'
const roleId = 'AROADBQP57FF2AEXAMPLE'
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
const arn = (rest: string) => `arn:aws:iam::${account}:${rest}`

const root: Caller = { type: 'root', account, arn: arn('root'), principalId: account, accessKeyId }
const alice: Caller = {
  ...{ type: 'user', account, arn: arn('user/alice'), principalId: userId, accessKeyId },
  userName: 'alice',
}
const work: Caller = {
  ...{ type: 'role-session', account, principalId: `${roleId}:shift`, accessKeyId },
  arn: `arn:aws:sts::${account}:assumed-role/Worker/shift`,
  ...{ roleArn: arn('role/Worker'), roleId },
}

type StatementJson = Readonly<Record<string, unknown>>

function compiled(statements: readonly StatementJson[], kind: PolicyKind = 'key'): CompiledPolicy {
  return compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), kind)
}

function sourced(statements: readonly StatementJson[], kind: PolicyKind): SourcedPolicy {
  return { name: 'policy', version: undefined, policy: compiled(statements, kind) }
}

const allow = { Effect: 'Allow', Resource: '*' }
const use = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncrypt*',
  'kms:GenerateDataKey*',
  'kms:DescribeKey',
]
const delegating: StatementJson = { ...allow, Principal: { AWS: arn('root') }, Action: 'kms:*' }

/** As the console of AWS writes it: the account, administrators, users, and grants for services. */
const usual = compiled([
  delegating,
  {
    ...allow,
    Principal: { AWS: 'AIDAADMINISTRATOR0001' },
    Action: ['kms:Create*', 'kms:Describe*', 'kms:Enable*', 'kms:List*', 'kms:Put*', 'kms:Update*'],
  },
  { ...allow, Principal: { AWS: [userId, roleId] }, Action: use },
  {
    ...allow,
    Principal: { AWS: [userId, roleId] },
    Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
    Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  },
  {
    ...allow,
    Effect: 'Deny',
    Principal: '*',
    Action: 'kms:*',
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  },
])

/** As many statements as fit, each of them for the caller and none with the right context, the last but with it. */
const full = compiled(
  Array.from({ length: 128 }, (_, index) => ({
    Sid: `Statement ${index}`,
    ...allow,
    Principal: { AWS: [userId, roleId] },
    Action: ['kms:Decrypt', 'kms:Encrypt'],
    Condition: {
      StringEquals: { 'kms:EncryptionContext:tenant': index === 127 ? 'mine' : `tenant-${index}` },
    },
  })),
)

/** The same size, with denials that each have to be looked at, and patterns in their values. */
const guarded = compiled([
  delegating,
  ...Array.from({ length: 136 }, (_, index) => ({
    ...{ Sid: `Guard ${index}`, Effect: 'Deny', Principal: '*', Action: 'kms:*', Resource: '*' },
    Condition: {
      StringLike: { 'kms:EncryptionContext:tenant': [`tenant-${index}-*`, `*${index}x*`] },
    },
  })),
])

const allowAll = { ...allow, Action: '*' }
const layered: CallerLayers = {
  identity: [
    sourced([{ ...allow, Action: use, Resource: `arn:aws:kms:*:${account}:key/*` }], 'identity'),
    sourced([{ ...allow, Action: 's3:*' }], 'identity'),
  ],
  boundary: sourced([{ ...allow, Action: ['kms:*', 's3:*'] }], 'identity'),
  session: [sourced([{ ...allow, Action: 'kms:Decrypt' }], 'identity')],
  serviceControl: [
    [sourced([allowAll], 'service-control')],
    [sourced([allowAll], 'service-control')],
  ],
}
const resourceControl = [[sourced([{ ...allowAll, Principal: '*' }], 'resource-control')]]

function request(caller: Caller, policy: CompiledPolicy, layers = noLayers): AccessRequest {
  return {
    ...{ caller, permission: 'kms:Decrypt', layers, resourceControl },
    resource: { type: 'key', arn: keyArn, account: caller.account, policy, crossAccount: true },
    conditions: [
      {
        'kms:CallerAccount': account ?? '',
        'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
        'kms:EncryptionContext:tenant': 'mine',
        'kms:EncryptionContextKeys': ['tenant'],
        'kms:KeySpec': 'SYMMETRIC_DEFAULT',
      },
      {
        'aws:SecureTransport': 'true',
        'aws:SourceIp': '192.0.2.1',
        'aws:PrincipalArn': caller.arn,
        'aws:PrincipalAccount': account ?? '',
        'aws:userid': caller.principalId,
      },
    ],
  }
}

const onlyRoot = compiled([delegating])
const subjects: readonly (readonly [name: string, microsecondsMax: number, AccessRequest])[] = [
  ['root user, default key policy', 5, request(root, onlyRoot)],
  ['user named by a usual key policy', 5, request(alice, usual)],
  ['session of a role named by it, all layers', 5, request(work, usual, layered)],
  ['session, default key policy, all layers', 5, request(work, onlyRoot, layered)],
  ['32 KB, each statement with a condition', 50, request(alice, full)],
  ['32 KB, each statement a guard', 50, request(root, guarded)],
]

const rounds = 21
const decisions = 20_000

for (const [name, max, asked] of subjects) {
  if (!decide(asked).allowed) throw new Error(`${name}: denied`)
  for (const [what, ask] of [
    ['decide', decide],
    ['judge', judge],
  ] as const) {
    const times = Array.from({ length: rounds }, () => timeOf(() => ask(asked))).sort(
      (a, b) => a - b,
    )
    const median = times[rounds >> 1] ?? Number.NaN
    const slowest = times[rounds - 1] ?? Number.NaN
    const verdict = median <= max ? 'within' : 'BEYOND'
    console.log(
      `${median.toFixed(2).padStart(8)} µs  (slowest round ${slowest.toFixed(2)})  ${what.padEnd(6)}  ${name}, ${verdict} ${max} µs`,
    )
  }
}

function timeOf(work: () => unknown): number {
  const begun = process.threadCpuUsage()
  for (let count = 0; count < decisions; count++) work()
  const { user, system } = process.threadCpuUsage(begun)
  return (user + system) / decisions
}
