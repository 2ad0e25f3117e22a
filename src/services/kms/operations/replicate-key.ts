import { boolean, required, structure, type Value } from '../../../wire/schema.ts'
import { type CallContext, type Check, type OwnEvent, operation } from '../../operation.ts'
import { keyIdElement, keyResource } from '../audit.ts'
import { bypassCondition, managementCheck, newKeyChecks } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { keyQuota, notPrimary, replicaExists, sameRegion, unservedRegion } from '../errors.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { keyMetadata, recordedMetadata } from '../key-metadata.ts'
import { checkPolicy } from '../key-policy.ts'
import { requireState } from '../key-state.ts'
import { isPrimary, sharedMembers } from '../replication.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortTags } from '../tags.ts'

const rules = managed('kms:ReplicateKey')

const input = structure({
  KeyId: required(shapes.keyId),
  ReplicaRegion: required(shapes.region),
  Policy: shapes.policy,
  BypassPolicyLockoutSafetyCheck: boolean(),
  Description: shapes.description,
  Tags: shapes.tags,
})

export const replicateKey = operation({
  name: 'ReplicateKey',
  input,
  output: structure({
    ReplicaKeyMetadata: shapes.keyMetadata,
    ReplicaPolicy: shapes.policy,
    ReplicaTags: shapes.tags,
  }),
  effects: 'write',
  errors: [
    'already-exists',
    'disabled',
    'invalid-arn',
    'invalid-state',
    'limit-exceeded',
    'malformed-policy',
    'not-found',
    'tag',
    'unsupported',
  ],
  resolve(call, request, deps: KmsDeps) {
    checkTags(request.Tags ?? [], deps.limits.tagsPerKey)
    return resolveKey(call, request.KeyId, rules, deps.state).key
  },
  checks(call, request, key, deps): readonly Check[] {
    const replica = {
      ...{ ...key, region: request.ReplicaRegion, multiRegionType: 'REPLICA' as const },
      tags: request.Tags ?? [],
    }
    return [
      managementCheck(call, rules.permission, key, deps, {
        'kms:ReplicaRegion': request.ReplicaRegion,
      }),
      ...newKeyChecks(call, replica, bypassCondition(request.BypassPolicyLockoutSafetyCheck)),
    ]
  },
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      replicaRegion: request.ReplicaRegion,
      bypassPolicyLockoutSafetyCheck: request.BypassPolicyLockoutSafetyCheck ?? false,
      description: request.Description ?? '',
      policy: request.Policy,
      tags: request.Tags?.map(({ TagKey, TagValue }) => ({ tagKey: TagKey, tagValue: TagValue })),
    }),
    response: ({ ReplicaKeyMetadata, ReplicaPolicy }) => ({
      replicaKeyMetadata: recordedMetadata(ReplicaKeyMetadata ?? {}),
      replicaPolicy: ReplicaPolicy,
    }),
    resources: (key) => [keyResource(key)],
  },
  async handle(call, request, primary, deps) {
    const { state, hsm } = deps
    requireState(primary, 'ReplicateKey')
    const replica = replicaOf(call, request, primary, deps)
    const materials = primary.origin === 'EXTERNAL' ? [] : state.materialsOf(primary)
    const replicated = await Promise.all(
      materials.map((material) => hsm.replicate(material, replica.region)),
    )
    return {
      output: {
        ReplicaKeyMetadata: keyMetadata(replica, deps),
        ReplicaPolicy: deps.policies.shownKeyPolicy(replica.policy),
        ReplicaTags: replica.tags,
      },
      changes: [
        // Whoever rotates the primary meanwhile has to see the replica, or this sees the rotation.
        state.replaceKey(primary, primary),
        state.addKey(replica),
        ...replicated.map((material) => state.addMaterial(material)),
      ],
      events: [
        serviceEvent('CreateKey', replica),
        {
          ...serviceEvent('SynchronizeMultiRegionKey', primary),
          call: { response: keyIdElement(primary) },
        },
      ],
    }
  },
})

/** The replica that is to be. Policy, description and tags are its own; they are not copied. */
function replicaOf(
  call: CallContext,
  request: Value<typeof input>,
  primary: KeyRecord,
  deps: KmsDeps,
): KeyRecord {
  const { state, regions, limits, policies } = deps
  const { account, keyId } = primary
  if (!isPrimary(primary)) throw notPrimary(arnOf(primary))
  if (request.ReplicaRegion === primary.region) throw sameRegion(primary.region)
  const region = regions.find((served) => served === request.ReplicaRegion)
  if (region === undefined) throw unservedRegion(request.ReplicaRegion)
  const replica: KeyRecord = {
    ...{ region, account, keyId, createdAt: call.now },
    description: request.Description ?? '',
    state: primary.origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    ...{ keySpec: primary.keySpec, keyUsage: primary.keyUsage, origin: primary.origin },
    multiRegion: true,
    replication: { type: 'REPLICA', primaryRegion: primary.region },
    policy: request.Policy ?? policies.defaultKeyPolicy(account),
    tags: sortTags(request.Tags ?? []),
    ...sharedMembers(primary),
  }
  if (state.key(region, keyId) !== undefined) throw replicaExists(arnOf(replica))
  if (state.keyIds(region, account).size >= limits.keys) throw keyQuota(account, limits.keys)
  if (request.Policy === undefined) return replica
  const policy = checkPolicy(call, replica, request.BypassPolicyLockoutSafetyCheck, deps)
  return { ...replica, policy }
}

/** CloudTrail shows the making of the replica in its Region, and what it was made from in that of the primary. */
function serviceEvent(eventName: string, key: KeyRecord): OwnEvent {
  return {
    eventSource: 'kms.amazonaws.com',
    eventName,
    account: key.account,
    region: key.region,
    resources: [keyResource(key)],
  }
}
