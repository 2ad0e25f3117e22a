import type { Region } from '../base/ids.ts'
import { aliasArn } from '../base/ids.ts'
import type { AliasRecord } from '../services/kms/alias.ts'
import {
  contextOf,
  type GrantRecord,
  isServiceName,
  operationNames,
} from '../services/kms/grant.ts'
import { shownParty } from '../services/kms/grant-principal.ts'
import { arnOf, type KeyRecord } from '../services/kms/key.ts'
import { keyMetadata, recordedMetadata } from '../services/kms/key-metadata.ts'
import type { KmsState } from '../services/kms/state.ts'
import { textDigest } from '../storage/port.ts'
import { isoTime, type Relationship, type ResourceView } from './view.ts'

export type KeySources = {
  readonly state: Pick<KmsState, 'key'>
  readonly regions: readonly Region[]
}

/**
 * A key as AWS Config shows it, without its policy: the members of DescribeKey, the account's id in a spelling of its
 * own, and beside them whether it rotates. The current material stands beside them, too: by it a rotation is a change.
 */
export function keyView(key: KeyRecord, sources: KeySources): ResourceView {
  const metadata = keyMetadata(key, sources)
  const { AWSAccountId, CurrentKeyMaterialId, ...members } = metadata
  const { rotation } = key
  return {
    ...{ type: 'AWS::KMS::Key', account: key.account, region: key.region, id: key.keyId },
    ...{ arn: arnOf(key), name: key.keyId, createdAt: key.createdAt },
    tags: Object.fromEntries(key.tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
    relationships: [],
    configuration: { awsaccountId: AWSAccountId, ...recordedMetadata(members) },
    supplementary: {
      KeyRotationStatus: String(rotation !== undefined),
      ...(rotation && { RotationPeriodInDays: String(rotation.periodInDays) }),
      ...(CurrentKeyMaterialId && { CurrentKeyMaterialId }),
    },
  }
}

/**
 * Its policy, as it is shown and by the digest of the text that decides; and how many grants there were, with a hash
 * over their ids in order. Each grant is a resource of its own: one that comes or goes is no change of its key.
 */
export function withPolicyAndGrants(
  view: ResourceView,
  { policy }: KeyRecord,
  shown: string,
  grants: { readonly count: number; readonly ids: readonly string[] | undefined },
): ResourceView {
  const { count, ids } = grants
  const hashed = ids === undefined ? {} : { sha256: textDigest(ids.join('\n')) }
  const supplementary = {
    ...view.supplementary,
    Policy: shown,
    PolicySha256: textDigest(policy),
    Grants: JSON.stringify({ count, ...hashed }),
  }
  return { ...view, supplementary }
}

export function aliasView(alias: AliasRecord): ResourceView {
  const { region, account, aliasName, targetKeyId } = alias
  const arn = aliasArn(region, account, aliasName)
  return {
    ...{ type: 'AWS::KMS::Alias', account, region, id: aliasName, arn, name: aliasName },
    createdAt: alias.createdAt,
    tags: {},
    relationships: [isAssociatedWithKey(targetKeyId)],
    configuration: {
      ...{ aliasName, aliasArn: arn, targetKeyId },
      creationDate: isoTime(alias.createdAt),
      lastUpdatedDate: isoTime(alias.updatedAt),
    },
    supplementary: {},
  }
}

/** Its parties by their unique ids, which never mean another, and as they are shown now. */
export function grantView(
  grant: GrantRecord,
  names: { arnOf(id: string): string | undefined },
): ResourceView {
  const { grantId, region, account, keyId, grantee, retiring, sourceArn } = grant
  const shown = (party: string | undefined) =>
    party === undefined || isServiceName(party) ? party : shownParty(party, names)
  return {
    ...{ type: 'Kagiban::KMS::Grant', account, region, id: grantId },
    // Grants have no ARN of their own in AWS.
    arn: `arn:aws:kms:${region}:${account}:grant/${grantId}`,
    name: grant.name ?? '',
    createdAt: grant.createdAt,
    tags: {},
    relationships: [isAssociatedWithKey(keyId)],
    configuration: {
      ...{ grantId, keyId, name: grant.name, issuingAccount: grant.issuingAccount },
      ...{ granteePrincipal: shown(grantee), granteeId: grantee },
      ...{ retiringPrincipal: shown(retiring), retiringId: retiring },
      operations: operationNames(grant.operations),
      encryptionContextEquals: contextOf(grant.contextEquals),
      encryptionContextSubset: contextOf(grant.contextSubset),
      sourceArn,
      creationDate: isoTime(grant.createdAt),
    },
    supplementary: {},
  }
}

function isAssociatedWithKey(keyId: string): Relationship {
  return {
    resourceType: 'AWS::KMS::Key',
    resourceId: keyId,
    resourceName: keyId,
    relationshipName: 'Is associated with Key',
  }
}
