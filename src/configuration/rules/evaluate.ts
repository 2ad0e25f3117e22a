import { parsePolicy } from '../../authorize/policy/parse.ts'
import { parsePrincipal } from '../../authorize/policy/principal.ts'
import type { AccountId, Region } from '../../base/ids.ts'
import { isSymmetric } from '../../hsm/key-specs.ts'
import { defaultText } from '../../identities/identities.ts'
import type { Attachments, ManagedPolicyRecord, RoleRecord } from '../../identities/records.ts'
import type { TrailRecord } from '../../services/cloudtrail/trails.ts'
import { csv } from '../../services/config/managed-rules.ts'
import { arnOf, type KeyRecord } from '../../services/kms/key.ts'
import { rotationOf } from '../../services/kms/rotation.ts'
import type { ResourceView } from '../view.ts'
import { blockedAction } from './blocked-actions.ts'
import { notEncrypted, notUnderKey } from './buckets.ts'
import { publicStatement } from './public-policy.ts'

/** Why a resource does not comply; true when it does; undefined when the rule is not about it. */
export type Found = string | true | undefined

export type RuleContext = {
  readonly parameters: Readonly<Record<string, string>>
  readonly account: AccountId
  readonly regions: readonly Region[]
  /** The account that the deployment was founded with. */
  readonly management: AccountId | undefined
  isBoundary(arn: string): boolean
}

type KeyRule = (key: KeyRecord, context: RuleContext) => Found

/** What rules say of a key that needs no analysis. Keys that AWS manages are nobody's to change. */
export const keyRules: Readonly<Record<string, KeyRule>> = {
  CMK_BACKING_KEY_ROTATION_ENABLED(key) {
    if (!isSymmetric(key.keySpec) || key.origin !== 'AWS_KMS') return undefined
    return rotationOf(key) !== undefined || 'The key does not rotate by itself.'
  },
  KMS_CMK_NOT_SCHEDULED_FOR_DELETION(key, { parameters }) {
    const keys = csv(parameters['kmsKeyIds'] ?? '')
    if (keys.length > 0 && !keys.includes(key.keyId) && !keys.includes(arnOf(key))) return undefined
    const isPending = key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion'
    return !isPending || 'The key is scheduled for deletion.'
  },
  KMS_KEY_POLICY_NO_PUBLIC_ACCESS({ policy }) {
    const index = publicStatement(policy)
    return index === undefined || `Statement ${index} of the key policy lets in everybody.`
  },
}

export function managedPolicyRule(policy: ManagedPolicyRecord, context: RuleContext): Found {
  const { parameters } = context
  const { account, path, policyName } = policy
  const arn = `arn:aws:iam::${account}:policy${path}${policyName}`
  const excludes = parameters['excludePermissionBoundaryPolicy']?.toLowerCase() === 'true'
  if (excludes && context.isBoundary(arn)) return undefined
  return blocks([defaultText(policy)], context)
}

export function inlineRule({ inline }: Attachments, context: RuleContext): Found {
  return blocks(Object.values(inline), context)
}

export function roleRule(role: RoleRecord, context: RuleContext): Found {
  const excludes = context.parameters['excludeRoleByManagementAccount']?.toLowerCase() === 'true'
  if (excludes && isOfManagement(role, context.management)) return undefined
  return inlineRule(role, context)
}

function blocks(texts: readonly string[], context: RuleContext): Found {
  const patterns = csv(context.parameters['blockedActionsPatterns'] ?? '')
  for (const text of texts) {
    const action = blockedAction(text, patterns, context.account, context.regions)
    if (action !== undefined) return `It allows ${action} on all keys.`
  }
  return true
}

/** Whether nobody but the organisation's management account is let in. */
function isOfManagement({ trustPolicy }: RoleRecord, management: AccountId | undefined): boolean {
  const allows = parsePolicy(trustPolicy, 'trust').statements.filter(
    ({ effect }) => effect === 'Allow',
  )
  return (
    management !== undefined &&
    allows.length > 0 &&
    allows.every(
      ({ principal }) =>
        principal?.inverted === false &&
        principal.entries.every((entry) => {
          const named = parsePrincipal(entry, 'trust')
          return named?.type === 'account' && named.account === management
        }),
    )
  )
}

export const trailRules: Readonly<Record<string, (trail: TrailRecord) => Found>> = {
  CLOUD_TRAIL_ENCRYPTION_ENABLED: ({ kmsKeyArn }) =>
    kmsKeyArn !== undefined || 'The trail has no key.',
  CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED: ({ validation }) =>
    validation || 'The trail delivers no digests.',
}

type BucketRule = (bucket: ResourceView, context: RuleContext) => Found

export const bucketRules: Readonly<Record<string, BucketRule>> = {
  S3_DEFAULT_ENCRYPTION_KMS: (bucket, { parameters }) =>
    notUnderKey(bucket, csv(parameters['kmsKeyArns'] ?? '')) ?? true,
  S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED: (bucket) => notEncrypted(bucket) ?? true,
}
