import { admitIdentityPolicy } from '../../authorize/admit-identity.ts'
import { isAwsManaged } from '../../identities/aws-managed-policies.ts'
import type { Identities } from '../../identities/identities.ts'
import {
  type ManagedPolicyRecord,
  type PolicyVersion,
  policyArn,
} from '../../identities/records.ts'
import type { Value } from '../../wire/schema.ts'
import type { AuditResource, CallContext, Check, ConditionValues } from '../operation.ts'
import { entityTagConditions } from '../tag-conditions.ts'
import { requirePolicyArn } from './attached-policies.ts'
import { iamCheck } from './checks.ts'
import type { IamDeps } from './deps.ts'
import { documentInAnswer, policySize } from './documents.ts'
import { noSuchEntity, quotaExceeded } from './errors.ts'
import type { managedPolicy, policyVersion } from './policy-shapes.ts'
import { type Usage, usageOf } from './policy-usage.ts'

/** What a call says of a managed policy: whether it is there is told to those alone who may ask. */
export type PolicyTarget = {
  readonly arn: string
  readonly policy: ManagedPolicyRecord | undefined
}

/** A policy of the caller's account or one of AWS's own. Throws 'invalid-input' for what is no ARN of a policy. */
export function findPolicy(call: CallContext, arn: string, identities: Identities): PolicyTarget {
  requirePolicyArn(arn)
  const policy = identities.managedPolicy(arn)
  const known =
    policy !== undefined && (policy.account === call.caller.account || isAwsManaged(policy))
  return { arn, policy: known ? policy : undefined }
}

export function requirePolicy({ arn, policy }: PolicyTarget): ManagedPolicyRecord {
  if (policy === undefined) throw noSuchEntity(`Policy ${arn} was not found.`)
  return policy
}

export function requireVersion(target: PolicyTarget, versionId: string): PolicyVersion {
  const { versions } = requirePolicy(target)
  const version = versions.find((each) => each.versionId === versionId)
  if (version === undefined) {
    throw noSuchEntity(
      `Policy ${target.arn} version ${versionId} does not exist or is not attachable.`,
    )
  }
  return version
}

/** Of a version of a managed policy. Throws 'malformed-policy' or 'limit-exceeded'. */
export function admitManagedDocument(text: string, { limits }: Pick<IamDeps, 'limits'>): void {
  if (policySize(text) > limits.managedPolicySize) {
    throw quotaExceeded('PolicySize', limits.managedPolicySize)
  }
  admitIdentityPolicy(text, 'managed')
}

/** A permission to look at a managed policy. */
export function policyCheck(
  call: CallContext,
  permission: string,
  { arn, policy }: PolicyTarget,
  own: ConditionValues = {},
): Check {
  const conditions = { ...entityTagConditions(policy?.tags ?? []), ...own }
  return iamCheck(call, permission, arn, conditions)
}

/** The same to change it. The policies of AWS are not of the caller's account, so that nobody may change them. */
export function policyChangeCheck(
  call: CallContext,
  permission: string,
  target: PolicyTarget,
  own?: ConditionValues,
): Check {
  const check = policyCheck(call, permission, target, own)
  const account = target.policy?.account ?? call.caller.account
  return { ...check, resource: { type: 'identity', arn: target.arn, account } }
}

/** In records. */
export const policyResourceType = 'AWS::IAM::ManagedPolicy'

/** Those of the caller's account. */
export function policyResource({ arn, policy }: PolicyTarget): readonly AuditResource[] {
  if (policy === undefined || isAwsManaged(policy)) return []
  return [{ accountId: policy.account, type: policyResourceType, ARN: arn }]
}

/** Where a policy stands in a list that is read in pages: the account's own, then AWS's, each by name. */
export function policyPosition(policy: ManagedPolicyRecord): string {
  return `${isAwsManaged(policy) ? 'aws' : 'account'}/${policy.policyName.toLowerCase()}`
}

/** As in the lists of policies; `GetPolicy` adds description and tags. */
export function shownPolicy(
  policy: ManagedPolicyRecord,
  usage: ReadonlyMap<string, Usage>,
): Value<typeof managedPolicy> {
  const arn = policyArn(policy)
  const { attachments, boundaries } = usageOf(usage, arn)
  return {
    PolicyName: policy.policyName,
    PolicyId: policy.policyId,
    Arn: arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: boundaries,
    IsAttachable: true,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
  }
}

/** `withDocument`: lists of versions leave it out. */
export function shownVersion(
  { defaultVersionId }: ManagedPolicyRecord,
  { versionId, text, createdAt }: PolicyVersion,
  withDocument: boolean,
): Value<typeof policyVersion> {
  return {
    ...(withDocument && { Document: documentInAnswer(text) }),
    VersionId: versionId,
    IsDefaultVersion: versionId === defaultVersionId,
    CreateDate: createdAt,
  }
}
