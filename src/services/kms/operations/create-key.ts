import { internalError } from '../../../base/errors.ts'
import { type AccountId, type KeyId, keyArn, parseKeyId } from '../../../base/ids.ts'
import { boolean, string, structure, type Value } from '../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../operation.ts'
import { accountCheck, bypassCondition, requestTagConditions } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { bothKeySpecs, keyQuota, unsupported, usageMissing, usageNotOfSpec } from '../errors.ts'
import type { KeyRecord } from '../key.ts'
import { keyMetadata, recordedMetadata } from '../key-metadata.ts'
import { checkPolicy } from '../key-policy.ts'
import { type KeySpec, type KeyUsage, type Origin, usagesOf } from '../key-spec.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortTags } from '../tags.ts'

const input = structure({
  Policy: shapes.policy,
  Description: shapes.description,
  KeyUsage: shapes.keyUsage,
  CustomerMasterKeySpec: shapes.customerMasterKeySpec,
  KeySpec: shapes.keySpec,
  Origin: shapes.origin,
  CustomKeyStoreId: string({ min: 1, max: 64 }),
  BypassPolicyLockoutSafetyCheck: boolean(),
  Tags: shapes.tags,
  MultiRegion: boolean(),
  XksKeyId: string({ min: 1, max: 128, pattern: '^[a-zA-Z0-9-_.]+$' }),
})

/** The key that is to be: its name, and its kind with the defaults filled in. */
type NewKey = Kind & { readonly keyId: KeyId; readonly account: AccountId; readonly arn: string }

type Kind = {
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly origin: Origin
  readonly multiRegion: boolean
}

export const createKey = operation({
  name: 'CreateKey',
  input,
  output: structure({ KeyMetadata: shapes.keyMetadata }),
  effects: 'write',
  errors: ['invalid-arn', 'limit-exceeded', 'malformed-policy', 'tag', 'unsupported'],
  resolve(call, request, deps: KmsDeps): NewKey {
    const kind = kindOf(request)
    checkTags(request.Tags ?? [], deps.limits.tagsPerKey)
    requireBuilt(request, kind)
    const keyId = parseKeyId(deps.random.uuid())
    if (keyId === undefined) throw internalError('a random UUID is no key id')
    const { account } = call.caller
    return { ...kind, keyId, account, arn: keyArn(call.region, account, keyId) }
  },
  checks(call, request, target): readonly Check[] {
    const conditions = {
      'kms:CallerAccount': call.caller.account,
      'kms:CustomerMasterKeySpec': target.keySpec,
      'kms:CustomerMasterKeyUsage': target.keyUsage,
      'kms:KeyOrigin': target.origin,
      'kms:KeySpec': target.keySpec,
      'kms:KeyUsage': target.keyUsage,
      'kms:MultiRegion': String(target.multiRegion),
      ...bypassCondition(request.BypassPolicyLockoutSafetyCheck),
      ...(request.Tags === undefined ? {} : requestTagConditions(request.Tags)),
    }
    const create = accountCheck(call, 'kms:CreateKey', conditions)
    if (request.Tags === undefined || request.Tags.length === 0) return [create]
    return [create, accountCheck(call, 'kms:TagResource', conditions)]
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
    if (state.keyIds(region, caller.account).size >= limits.keys) {
      throw keyQuota(caller.account, limits.keys)
    }
    const draft = draftOf(call, request, target, policies.defaultKeyPolicy(caller.account))
    if (request.Policy !== undefined) {
      checkPolicy(call, draft, request.BypassPolicyLockoutSafetyCheck, deps)
    }
    const material = await hsm.createMaterial({
      region,
      account: caller.account,
      keyId: target.keyId,
    })
    const key: KeyRecord = { ...draft, currentMaterialId: material.materialId }
    return {
      output: { KeyMetadata: keyMetadata(key) },
      changes: [state.addKey(key), state.addMaterial(material)],
    }
  },
})

type Request = Value<typeof input>

/** Throws 'validation' for what can be no key, in AWS's words. */
function kindOf(request: Request): Kind {
  if (request.KeySpec !== undefined && request.CustomerMasterKeySpec !== undefined) {
    throw bothKeySpecs()
  }
  const keySpec = request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (request.KeyUsage === undefined && keySpec !== 'SYMMETRIC_DEFAULT') throw usageMissing()
  const keyUsage = request.KeyUsage ?? 'ENCRYPT_DECRYPT'
  if (!usagesOf[keySpec].includes(keyUsage)) throw usageNotOfSpec(keyUsage, keySpec)
  const origin = request.Origin ?? 'AWS_KMS'
  return { keySpec, keyUsage, origin, multiRegion: request.MultiRegion ?? false }
}

/** Refuses the keys of AWS that this service does not make. */
function requireBuilt(request: Request, kind: Kind): void {
  if (kind.keySpec !== 'SYMMETRIC_DEFAULT') throw unsupported(`KeySpec ${kind.keySpec} is`)
  if (kind.origin !== 'AWS_KMS') throw unsupported(`Origin ${kind.origin} is`)
  if (kind.multiRegion) throw unsupported('MultiRegion keys are')
  if (request.CustomKeyStoreId !== undefined) throw unsupported('Custom key stores are')
  if (request.XksKeyId !== undefined) throw unsupported('External key stores are')
}

/** The record of the key before it has material. */
function draftOf(
  call: CallContext,
  request: Request,
  target: NewKey,
  defaultPolicy: string,
): KeyRecord {
  return {
    region: call.region,
    account: call.caller.account,
    keyId: target.keyId,
    createdAt: call.now,
    description: request.Description ?? '',
    state: 'Enabled',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    multiRegion: false,
    policy: request.Policy ?? defaultPolicy,
    tags: sortTags(request.Tags ?? []),
    currentMaterialId: '',
  }
}

/** CloudTrail shows the kind with its defaults, in the old and the new name. */
function recordedKind(request: Request) {
  const keySpec = request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  return {
    keySpec,
    customerMasterKeySpec: request.CustomerMasterKeySpec ?? keySpec,
    keyUsage: request.KeyUsage ?? 'ENCRYPT_DECRYPT',
    origin: request.Origin ?? 'AWS_KMS',
    multiRegion: request.MultiRegion ?? false,
  }
}
