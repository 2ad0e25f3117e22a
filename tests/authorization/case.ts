/** Decision cases: who asks for what under which policies, written as for AWS, and what has to follow. */
import type { ConditionValues } from '../../src/authorize/conditions/context.ts'
import type { DenialReason, Path } from '../../src/authorize/decision.ts'
import { denialText } from '../../src/authorize/denial.ts'
import { decide } from '../../src/authorize/evaluate.ts'
import type { SourcedPolicy } from '../../src/authorize/layers.ts'
import { bindPrincipals, type PrincipalNames } from '../../src/authorize/policy/bind.ts'
import { noBucketPolicy } from '../../src/authorize/policy/bucket.ts'
import { compilePolicy } from '../../src/authorize/policy/compile.ts'
import type { PolicyKind } from '../../src/authorize/policy/document.ts'
import type { AccessRequest, AccessResource, PermittingGrant } from '../../src/authorize/request.ts'
import { home, keyArn, names } from '../../src/authorize/test-samples.ts'
import type { Caller } from '../../src/base/caller.ts'
import { type AccountId, parseAccountId, parseArn } from '../../src/base/ids.ts'

export type Statement = Readonly<Record<string, unknown>>
/** Statements of one policy. */
export type Policy = Statement | readonly Statement[]

/** A policy with an ARN: a managed one, or a guardrail. */
export type Named = { readonly arn: string; readonly statements: Policy }

export type Verdict =
  | Path
  | 'identity-policy'
  | 'account-root'
  | 'bucket-and-identity-policy'
  /** A web identity that the trust policy admits by its provider. */
  | 'provider'
  | DenialReason

export type DecisionCase = {
  /** The section of AWS's rules that the expectation comes from. */
  readonly rule: string
  readonly name: string
  readonly caller: Caller
  /** `kms:Decrypt` on a key, `sts:AssumeRole` on a role, `s3:GetObject` on an object, `kms:CreateKey` on `*`. */
  readonly permission?: string
  /** What it is about: the sample key, unless an ARN of a key, a role or an object, an alias, or `*` is given. */
  readonly on?: string
  /** Of the key or of the role, or of the bucket, which may have none. */
  readonly policy?: Policy
  readonly version?: '2008-10-17' | '2012-10-17' | 'none'
  readonly identity?: readonly (Policy | Named)[]
  readonly boundary?: Policy | Named
  readonly session?: readonly (Policy | Named)[]
  readonly serviceControl?: readonly (readonly (Policy | Named)[])[]
  readonly resourceControl?: readonly (readonly (Policy | Named)[])[]
  readonly grant?: PermittingGrant['grantee']
  /** Whether AWS lets other accounts make the call; true when left out. */
  readonly crossAccount?: boolean
  readonly conditions?: ConditionValues
  /** Who stands behind the ARNs of the resource policy; by default whoever has the ARN now. */
  readonly names?: PrincipalNames
  readonly expected: Verdict
  /** What a caller that is denied is told. */
  readonly text?: string
}

export function allow(changes: Statement = {}): Statement {
  return { Effect: 'Allow', Action: '*', Resource: '*', ...changes }
}

export function deny(changes: Statement = {}): Statement {
  return { ...allow(changes), Effect: 'Deny' }
}

/** A statement of a resource policy for these principals. */
export function to(principals: string | readonly string[], changes: Statement = {}): Statement {
  return allow({ Principal: principals === '*' ? '*' : { AWS: principals }, ...changes })
}

export function against(principals: string | readonly string[], changes: Statement = {}) {
  return { ...to(principals, changes), Effect: 'Deny' }
}

/** The root ARN that stands for a whole account. */
export function rootOf(account: AccountId): string {
  return `arn:aws:iam::${account}:root`
}

export const grantId = 'f3f4f5f6'

export function requestOf(given: DecisionCase): AccessRequest {
  const { caller, grant, conditions = {}, resourceControl } = given
  const resource = resourceOf(given)
  return {
    caller,
    permission: given.permission ?? usual[resource.type],
    resource,
    conditions: [conditions],
    layers: {
      identity: sourced(given.identity ?? [], 'identity'),
      boundary: given.boundary && sourced([given.boundary], 'identity')[0],
      session: given.session && sourced(given.session, 'identity'),
      serviceControl: (given.serviceControl ?? []).map((level) =>
        sourced(level, 'service-control'),
      ),
    },
    resourceControl: resourceControl?.map((level) => sourced(level, 'resource-control')),
    grant: () => (grant === undefined ? undefined : { grantId, grantee: grant }),
  }
}

const usual = {
  key: 'kms:Decrypt',
  role: 'sts:AssumeRole',
  bucket: 's3:GetObject',
  identity: 'kms:CreateKey',
} as const

/** What the evaluator says, and what the caller is told of it. */
export function verdictOf(given: DecisionCase): { verdict: Verdict; text: string | undefined } {
  const request = requestOf(given)
  const decision = decide(request)
  if (!decision.allowed) {
    return { verdict: decision.reason, text: denialText(request, decision) }
  }
  const { path, reason } = decision
  if (path !== undefined) return { verdict: path, text: undefined }
  if (reason === 'identity-policy' || reason === 'account-root')
    return { verdict: reason, text: undefined }
  if (reason === 'bucket-and-identity-policy') return { verdict: reason, text: undefined }
  return { verdict: 'provider', text: undefined }
}

function resourceOf(given: DecisionCase): AccessResource {
  const { on: arn = keyArn, crossAccount = true } = given
  const parts = parseArn(arn)
  const account = parseAccountId(parts?.account ?? '') ?? home
  const kind = parts?.resource.split('/')[0]
  if (parts?.service === 's3') return objectOf(given, arn, crossAccount)
  if (kind !== 'key' && kind !== 'role')
    return { type: 'identity', arn, account: given.caller.account }
  const policyKind = kind === 'key' ? 'key' : 'trust'
  const text = documentOf(given.policy ?? [], given.version)
  const policy = compilePolicy(bindPrincipals(text, policyKind, given.names ?? names), policyKind)
  return kind === 'key'
    ? { type: 'key', arn, account, policy, crossAccount }
    : { type: 'role', arn, account, policy }
}

/** Buckets of the examples are those of the home account. */
function objectOf({ policy, version, ...given }: DecisionCase, arn: string, crossAccount: boolean) {
  const bucket = { type: 'bucket', arn, account: home, crossAccount } as const
  if (policy === undefined) return { ...bucket, policy: noBucketPolicy }
  const text = bindPrincipals(documentOf(policy, version), 'bucket', given.names ?? names)
  return { ...bucket, policy: compilePolicy(text, 'bucket') }
}

export function documentOf(
  policy: Policy,
  version: DecisionCase['version'] = '2012-10-17',
): string {
  const Statement = policy
  return JSON.stringify(version === 'none' ? { Statement } : { Version: version, Statement })
}

function sourced(policies: readonly (Policy | Named)[], kind: PolicyKind): SourcedPolicy[] {
  return policies.map((given) => {
    const named = isNamed(given)
    const statements = named ? given.statements : given
    const text = documentOf(kind === 'resource-control' ? everyones(statements) : statements)
    return {
      name: named ? given.arn : `inline-${kind}`,
      version: named && kind === 'identity' ? 'v1' : undefined,
      policy: compilePolicy(text, kind),
    }
  })
}

/** A resource control policy has to say that it is about everyone. */
function everyones(policy: Policy): Policy {
  return [policy].flat().map((statement) => ({ Principal: '*', ...statement }))
}

function isNamed(given: Policy | Named): given is Named {
  return 'statements' in given
}
