import { admitIdentityPolicy } from '../../authorize/admit-identity.ts'
import { internalError } from '../../base/errors.ts'
import { isAwsManaged } from '../../identities/aws-managed-policies.ts'
import { type IssuedSession, issueSession } from '../../identities/issue-session.ts'
import { sessionArn } from '../../identities/principals.ts'
import type { RoleRecord } from '../../identities/records.ts'
import type { SessionGrant } from '../../identities/session-token.ts'
import type { Value } from '../../wire/schema.ts'
import { structure } from '../../wire/schema.ts'
import type { CallContext, JsonObject } from '../operation.ts'
import type { StsDeps } from './deps.ts'
import { validation } from './errors.ts'
import type { AskedRole } from './role.ts'
import { roleSessionOutput } from './shapes.ts'

/** What a request for a role session may say of it, by AssumeRole or by AssumeRoleWithWebIdentity. */
export type RoleSessionRequest = {
  readonly RoleSessionName: string
  readonly DurationSeconds?: number | undefined
  readonly Policy?: string | undefined
  readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined
  readonly MinimumSessionTokenSize?: number | undefined
}

/** What else the session keeps: tags, source identity, of a web identity who vouched for it. */
export type RoleSessionExtras = Omit<
  SessionGrant,
  'holder' | 'issuedAt' | 'expiresAt' | 'policies' | 'policyArns'
>

export type RoleSessionOutput = Value<{
  type: 'structure'
  members: typeof roleSessionOutput
}>

const chainedSecondsMax = 3600
const secondsDefault = 3600

/**
 * The session of a caller who may assume the role: to be called by `handle`, once everything is authorized. Throws
 * 'validation' for what the role does not permit, 'malformed-policy' and 'packed-policy-too-large'.
 */
export async function issueRoleSession(
  call: Pick<CallContext, 'caller' | 'now'>,
  { role }: AskedRole,
  request: RoleSessionRequest,
  extras: RoleSessionExtras,
  deps: StsDeps,
): Promise<RoleSessionOutput> {
  if (role === undefined) throw internalError('a role that is not there was assumed')
  const { RoleSessionName, Policy, MinimumSessionTokenSize } = request
  const seconds = durationOf(role, request.DurationSeconds, call.caller.type === 'role-session')
  const policies = inlinePolicies(Policy)
  const policyArns = managedPolicies(role, request.PolicyArns, deps)
  const issuedAt = call.now - (call.now % 1000)
  const holder = { type: 'role', roleId: role.roleId, sessionName: RoleSessionName } as const
  const expiresAt = issuedAt + seconds * 1000
  const session = { ...extras, holder, issuedAt, expiresAt, policies, policyArns }
  const issued = await issueSession(deps, session, MinimumSessionTokenSize)
  const limited = policies ?? policyArns ?? extras.tags
  return {
    Credentials: credentialsOf(issued),
    AssumedRoleUser: {
      AssumedRoleId: `${role.roleId}:${RoleSessionName}`,
      Arn: sessionArn(role, RoleSessionName),
    },
    PackedPolicySize: limited === undefined ? undefined : issued.tokenUtilization,
    SourceIdentity: extras.sourceIdentity,
    ...tokenSizeOf(issued),
  }
}

export function tokenSizeOf({ tokenUtilization, sessionToken }: IssuedSession) {
  return { SessionTokenUtilization: tokenUtilization, SessionTokenSize: sessionToken.length }
}

export function credentialsOf(issued: IssuedSession) {
  return {
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    SessionToken: issued.sessionToken,
    Expiration: issued.expiration,
  }
}

/** `chained`: whether one role session asks for another. */
function durationOf(role: RoleRecord, asked: number | undefined, chained: boolean): number {
  if (asked === undefined) return secondsDefault
  if (chained && asked > chainedSecondsMax) {
    throw validation(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    )
  }
  if (asked > role.maxSessionSeconds) {
    throw validation(
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    )
  }
  return asked
}

/** Throws 'malformed-policy'. */
function inlinePolicies(policy: string | undefined) {
  if (policy === undefined) return undefined
  admitIdentityPolicy(policy)
  return [policy]
}

/** They are of the role's account, or AWS's own. */
function managedPolicies(
  { account }: RoleRecord,
  asked: RoleSessionRequest['PolicyArns'],
  { identities }: StsDeps,
): readonly string[] | undefined {
  if (asked === undefined || asked.length === 0) return undefined
  return asked.map(({ arn = '' }) => {
    const policy = identities.managedPolicy(arn)
    if (policy?.account === account || (policy !== undefined && isAwsManaged(policy))) return arn
    throw validation(`Policy ${arn} does not exist or is not attachable.`)
  })
}

/** responseElements of both: neither the secret nor the token. */
export function recordedRoleSession(output: RoleSessionOutput): JsonObject {
  const { Credentials, AssumedRoleUser, PackedPolicySize, SourceIdentity } = output
  return {
    credentials: recordedCredentials(Credentials ?? {}),
    assumedRoleUser: {
      assumedRoleId: AssumedRoleUser?.AssumedRoleId,
      arn: AssumedRoleUser?.Arn,
    },
    packedPolicySize: PackedPolicySize,
    sourceIdentity: SourceIdentity,
  }
}

export function recordedCredentials(credentials: {
  readonly AccessKeyId?: string | undefined
  readonly Expiration?: number | undefined
}): JsonObject {
  const { AccessKeyId, Expiration } = credentials
  return {
    accessKeyId: AccessKeyId,
    expiration: Expiration === undefined ? undefined : new Date(Expiration).toISOString(),
  }
}

export const roleSessionStructure = structure(roleSessionOutput)
