import { internalError } from '../../../base/errors.ts'
import { type AccountId, type KeyId, keyArn, parseKeyId } from '../../../base/ids.ts'
import type { Random } from '../../../base/random.ts'
import { boolean, string, structure, type Value } from '../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../operation.ts'
import { bypassCondition, newKeyChecks } from '../conditions.ts'
import { unknownStore } from '../custom-key-store.ts'
import type { KmsDeps } from '../deps.ts'
import { keyQuota } from '../errors.ts'
import type { KeyRecord } from '../key.ts'
import { customerMasterKeySpecOf, keyMetadata, recordedMetadata } from '../key-metadata.ts'
import { checkPolicy } from '../key-policy.ts'
import { type NewKind, newKindOf } from '../new-kind.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortTags } from '../tags.ts'

const input = structure({
  Policy: shapes.policy,
  Description: shapes.description,
  KeyUsage: shapes.keyUsage,
  CustomerMasterKeySpec: shapes.customerMasterKeySpec,
  KeySpec: shapes.keySpec,
  Origin: shapes.origin,
  CustomKeyStoreId: shapes.customKeyStoreId,
  BypassPolicyLockoutSafetyCheck: boolean(),
  Tags: shapes.tags,
  MultiRegion: boolean(),
  XksKeyId: string({ min: 1, max: 128, pattern: '^[a-zA-Z0-9-_.]+$' }),
})

/** The key that is to be: its name, and its kind with the defaults filled in. */
type NewKey = NewKind & { readonly keyId: KeyId; readonly account: AccountId; readonly arn: string }

export const createKey = operation({
  name: 'CreateKey',
  input,
  output: structure({ KeyMetadata: shapes.keyMetadata }),
  effects: 'write',
  errors: [
    'custom-key-store-not-found',
    'limit-exceeded',
    'malformed-policy',
    'tag',
    'unsupported',
  ],
  resolve(call, request, deps: KmsDeps): NewKey {
    const kind = newKindOf(request)
    checkTags(request.Tags ?? [], deps.limits.tagsPerKey)
    const keyId = newKeyId(deps.random, kind.multiRegion)
    const { account } = call.caller
    return { ...kind, keyId, account, arn: keyArn(call.region, account, keyId) }
  },
  checks(call, request, target): readonly Check[] {
    const kind = {
      ...{ ...target, origin: target.origin.value, tags: request.Tags ?? [] },
      multiRegionType: target.multiRegion ? ('PRIMARY' as const) : undefined,
    }
    return newKeyChecks(call, kind, bypassCondition(request.BypassPolicyLockoutSafetyCheck))
  },
  audit: {
    request: (request) => ({
      ...recordedKind(request),
      bypassPolicyLockoutSafetyCheck: request.BypassPolicyLockoutSafetyCheck ?? false,
      description: request.Description ?? '',
      policy: request.Policy,
      tags: request.Tags?.map(({ TagKey, TagValue }) => ({ tagKey: TagKey, tagValue: TagValue })),
      customKeyStoreId: request.CustomKeyStoreId,
      xksKeyId: request.XksKeyId,
    }),
    response: ({ KeyMetadata }) => ({ keyMetadata: recordedMetadata(KeyMetadata ?? {}) }),
    // A call that failed made no key.
    resources: ({ account, arn }, _request, output) =>
      output === undefined ? [] : [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }],
  },
  async handle(call, request, target, deps) {
    const { state, hsm, limits, policies } = deps
    const { region, caller } = call
    const { origin, keySpec, keyId } = target
    // There are none, so it is none of the caller's.
    if (origin.in === 'custom key store') throw unknownStore(origin.customKeyStoreId)
    if (state.keyIds(region, caller.account).size >= limits.keys) {
      throw keyQuota(caller.account, limits.keys)
    }
    const given = draftOf(
      call,
      request,
      target,
      origin.value,
      policies.defaultKeyPolicy(caller.account),
    )
    const draft =
      request.Policy === undefined
        ? given
        : {
            ...given,
            policy: checkPolicy(call, given, request.BypassPolicyLockoutSafetyCheck, deps),
          }
    if (origin.value === 'EXTERNAL') {
      return {
        output: { KeyMetadata: keyMetadata(draft, deps) },
        changes: [state.addKey(draft)],
      }
    }
    const name = { region, account: caller.account, keyId }
    const { material, publicKey } = await hsm.createMaterial(name, keySpec)
    const key: KeyRecord = {
      ...draft,
      currentMaterialId: material.materialId,
      ...(publicKey !== undefined && { publicKey: publicKey.toString('base64') }),
    }
    return {
      output: { KeyMetadata: keyMetadata(key, deps) },
      changes: [state.addKey(key), state.addMaterial(material)],
    }
  },
})

type Request = Value<typeof input>

/** Ids of multi-Region keys can be told by their form: they are the same in every Region. */
function newKeyId(random: Random, multiRegion: boolean): KeyId {
  const uuid = random.uuid()
  const keyId = parseKeyId(multiRegion ? `mrk-${uuid.replaceAll('-', '')}` : uuid)
  if (keyId === undefined) throw internalError('a random UUID is no key id')
  return keyId
}

/** The record of the key before it has material. */
function draftOf(
  call: CallContext,
  request: Request,
  { keyId, keySpec, keyUsage, multiRegion }: NewKey,
  origin: KeyRecord['origin'],
  defaultPolicy: string,
): KeyRecord {
  return {
    region: call.region,
    account: call.caller.account,
    keyId,
    createdAt: call.now,
    description: request.Description ?? '',
    state: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    keySpec,
    keyUsage,
    origin,
    multiRegion,
    ...(multiRegion && { replication: { type: 'PRIMARY', primaryRegion: call.region } }),
    policy: request.Policy ?? defaultPolicy,
    tags: sortTags(request.Tags ?? []),
  }
}

/** CloudTrail shows the kind with its defaults, in the old and the new name. */
function recordedKind(request: Request) {
  const keySpec = request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  return {
    keySpec,
    customerMasterKeySpec: customerMasterKeySpecOf(keySpec).CustomerMasterKeySpec,
    keyUsage: request.KeyUsage ?? 'ENCRYPT_DECRYPT',
    origin: request.Origin ?? 'AWS_KMS',
    multiRegion: request.MultiRegion ?? false,
  }
}
