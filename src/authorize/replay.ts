import type { Caller } from '../base/caller.ts'
import { ServiceError } from '../base/errors.ts'
import { parseAccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import type { PolicyLayer, RecordedDecision, RecordedPolicy, RecordedValue } from './evidence.ts'
import type { CallerLayers, SourcedPolicy } from './layers.ts'
import { noBucketPolicy } from './policy/bucket.ts'
import { type CompiledPolicy, compilePolicy } from './policy/compile.ts'
import type { PolicyKind } from './policy/document.ts'
import type { AccessRequest, AccessResource, PermittingGrant } from './request.ts'
import { layerOfResource } from './trace.ts'

/**
 * A request that is decided as the recorded one was, or the policies whose texts are nowhere any more: none, when what
 * is missing is a fact that another account's record has.
 */
export type Replay =
  | { readonly request: AccessRequest }
  | { readonly missing: readonly RecordedPolicy[] }

const kinds: Readonly<Record<PolicyLayer, PolicyKind>> = {
  'key-policy': 'key',
  'trust-policy': 'trust',
  'bucket-policy': 'bucket',
  'resource-control-policy': 'resource-control',
  'service-control-policy': 'service-control',
  'identity-policy': 'identity',
  'permissions-boundary': 'identity',
  'session-policy': 'identity',
}

/**
 * `textOf`: the text of that SHA-256, in hexadecimal; undefined where it cannot be found. Of a decision of which the
 * caller's side alone is there, the other account is assumed to let the caller in, as it did when the caller's own
 * denied it.
 */
export function replay(
  recorded: RecordedDecision,
  caller: Caller,
  textOf: (digest: string) => string | undefined,
): Replay {
  const policies = recorded.policies ?? []
  const compiled = new Map<RecordedPolicy, CompiledPolicy>()
  for (const policy of policies) {
    const found = compiledOf(policy, textOf)
    if (found !== undefined) compiled.set(policy, found)
  }
  const missing = policies.filter((policy) => !compiled.has(policy))
  if (missing.length > 0 || Object.values(recorded.conditions ?? {}).some(isHidden)) {
    return { missing }
  }
  const sourced = (layer: PolicyLayer, level?: number): SourcedPolicy[] =>
    [...compiled]
      .filter(([policy]) => policy.layer === layer && policy.level === level)
      .map(([{ name = recorded.resource, version }, policy]) => ({ name, version, policy }))
  const levels = (layer: PolicyLayer, count = 0) =>
    Array.from({ length: count }, (_, level) => sourced(layer, level))
  const layers: CallerLayers = {
    identity: sourced('identity-policy'),
    boundary: sourced('permissions-boundary')[0],
    session: recorded.session === true ? sourced('session-policy') : undefined,
    serviceControl: levels('service-control-policy', recorded.serviceControlLevels),
  }
  const own = Object.values(layerOfResource).flatMap((layer) => sourced(layer))[0]
  const assumed = recorded.side === 'caller' ? lettingIn(caller) : undefined
  const resource = resourceOf(recorded, caller, own?.policy ?? assumed)
  return {
    request: {
      ...{ caller, permission: recorded.permission, resource, layers },
      conditions: conditionsOf(recorded.conditions ?? {}),
      resourceControl: levels('resource-control-policy', recorded.resourceControlLevels),
      grant: resource.type === 'key' ? () => grantOf(recorded) : undefined,
    },
  }
}

/** What another account's key policy has to say for the caller's own account to be asked. */
function lettingIn({ account }: Caller): CompiledPolicy {
  const statement = { Effect: 'Allow', Principal: { AWS: account }, Action: '*', Resource: '*' }
  return compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }))
}

/** A text that is not the one it is said to be is as good as none. */
function compiledOf(
  { layer, digest }: RecordedPolicy,
  textOf: (digest: string) => string | undefined,
): CompiledPolicy | undefined {
  const text = textOf(digest)
  if (text === undefined) return undefined
  try {
    const policy = compilePolicy(text, kinds[layer])
    return policy.digest === digest ? policy : undefined
  } catch (error) {
    // What was once admitted: a version of this service that no longer reads it cannot show it unchanged either.
    if (error instanceof ServiceError) return undefined
    throw error
  }
}

function resourceOf(
  recorded: RecordedDecision,
  caller: Caller,
  policy: CompiledPolicy | undefined,
): AccessResource {
  const { resource: arn, policies = [] } = recorded
  const account = parseAccountId(recorded.account ?? '') ?? caller.account
  const crossAccount = recorded.reason !== 'cross-account-operation'
  if (isOfBucket(recorded)) {
    return { type: 'bucket', arn, account, policy: policy ?? noBucketPolicy, crossAccount }
  }
  if (policy === undefined) return { type: 'identity', arn, account }
  const isRole = policies.some(({ layer }) => layer === 'trust-policy')
  if (isRole) return { type: 'role', arn, account, policy }
  return { type: 'key', arn, account, policy, crossAccount }
}

/** One without a policy is recorded without one. Where no bucket is meant, this is decided as it was. */
function isOfBucket({ permission }: RecordedDecision): boolean {
  return permission.startsWith('s3:')
}

function grantOf({ grant }: RecordedDecision): PermittingGrant | undefined {
  return grant && { grantId: grant.id, grantee: grant.grantee }
}

/** A key that the request brought more than once takes as many records; lists are never taken for the same value. */
function conditionsOf(
  recorded: Readonly<Record<string, RecordedValue>>,
): readonly ConditionValues[] {
  const once: Record<string, string | readonly string[]> = {}
  const more: ConditionValues[] = []
  for (const [key, value] of Object.entries(recorded)) {
    if (value === null || isHidden(value)) continue
    if (typeof value === 'string') once[key] = value
    else if ('several' in value) more.push(...value.several.map((one) => ({ [key]: [one] })))
    else once[key] = value
  }
  return [once, ...more]
}

/** Decisions as a record has them; undefined for what is none, and for what was left out because it was too long. */
export function recordedDecisions(authorization: unknown): readonly RecordedDecision[] | undefined {
  if (!Array.isArray(authorization)) return undefined
  return authorization.every(isRecordedDecision) ? authorization : undefined
}

function isRecordedDecision(value: unknown): value is RecordedDecision {
  if (typeof value !== 'object' || value === null) return false
  const { permission, resource, allowed, reason, policies } = value as Record<string, unknown>
  return (
    typeof permission === 'string' &&
    typeof resource === 'string' &&
    typeof allowed === 'boolean' &&
    typeof reason === 'string' &&
    (policies === undefined || (Array.isArray(policies) && policies.every(isRecordedPolicy)))
  )
}

function isRecordedPolicy(value: unknown): value is RecordedPolicy {
  if (typeof value !== 'object' || value === null) return false
  const { layer, digest } = value as Record<string, unknown>
  return typeof layer === 'string' && Object.hasOwn(kinds, layer) && typeof digest === 'string'
}

/** Both halves of a decision that two accounts' records have; undefined when they are not of the same. */
export function joinedSides(
  one: RecordedDecision,
  other: RecordedDecision,
): RecordedDecision | undefined {
  if (one.side === undefined || other.side === undefined || one.side === other.side) {
    return undefined
  }
  if (one.permission !== other.permission || one.resource !== other.resource) return undefined
  const { side: _, ...both } = one.side === 'resource' ? { ...other, ...one } : { ...one, ...other }
  return {
    ...both,
    policies: [...(one.policies ?? []), ...(other.policies ?? [])],
    conditions: joinedConditions(one.conditions, other.conditions),
  }
}

/** What one side was told nothing of, or what it is none of its business, the other may know. */
function joinedConditions(
  one: RecordedDecision['conditions'] = {},
  other: RecordedDecision['conditions'] = {},
): Readonly<Record<string, RecordedValue>> {
  const joined: Record<string, RecordedValue> = { ...one }
  for (const [key, value] of Object.entries(other)) {
    const known = joined[key]
    if (known === undefined || isHidden(known) || (known === null && !isHidden(value))) {
      joined[key] = value
    }
  }
  return joined
}

function isHidden(value: RecordedValue): value is { readonly hidden: true } {
  return typeof value === 'object' && value !== null && 'hidden' in value
}

/**
 * The caller as far as policies can tell, out of the `userIdentity` of a record of the account `recipient`; undefined
 * for what is no caller.
 */
export function recordedCaller(userIdentity: unknown, recipient?: string): Caller | undefined {
  if (typeof userIdentity !== 'object' || userIdentity === null) return undefined
  const { type, principalId, arn, accountId, identityProvider } = userIdentity as Record<
    string,
    unknown
  >
  if (typeof principalId !== 'string') return undefined
  if (type === 'WebIdentityUser') return webIdentity(principalId, identityProvider, recipient)
  const account = typeof accountId === 'string' ? parseAccountId(accountId) : undefined
  if (account === undefined) return undefined
  const common = {
    ...{ account, principalId, accessKeyId: '' },
    arn: typeof arn === 'string' ? arn : principalId,
  }
  if (principalId === account) return { ...common, type: 'root' }
  const colon = principalId.indexOf(':')
  if (colon < 0) return { ...common, type: 'user' }
  return { ...common, type: 'role-session', roleId: principalId.slice(0, colon) }
}

/** It is recorded in the account whose role it asked for, and policies know it by its provider. */
function webIdentity(principalId: string, provider: unknown, recipient = ''): Caller | undefined {
  const account = parseAccountId(recipient)
  if (account === undefined || typeof provider !== 'string') return undefined
  return { type: 'web-identity', account, principalId, arn: provider, accessKeyId: '' }
}
