import type { Caller } from '../base/caller.ts'
import type { ConditionValues } from './conditions/context.ts'
import { foldKey } from './conditions/folded-names.ts'
import { explain } from './explain.ts'
import { type CallerLayers, noLayers, type SourcedPolicy } from './layers.ts'
import { type CompiledPolicy, compilePolicy } from './policy/compile.ts'
import type { PolicyKind } from './policy/document.ts'
import type { AccessRequest, AccessResource } from './request.ts'
import type { ConditionTrace, LayerName, LayerTrace } from './trace.ts'

/** One fact that could be otherwise. */
export type Change =
  /** That statement is gone. */
  | {
      readonly type: 'remove-statement'
      readonly layer: LayerName
      readonly policy: string
      readonly index: number
      readonly sid?: string | undefined
    }
  /** A policy of that layer (of guardrails: at that level) allows this action on this resource. */
  | { readonly type: 'allow'; readonly layer: LayerName; readonly level?: number | undefined }
  /** The policy of the resource leaves this action to the caller's account. */
  | { readonly type: 'delegate'; readonly account: string }
  /** The policy of the resource allows this action to the caller itself, or to the role whose session it is. */
  | { readonly type: 'name-caller'; readonly principal: string }
  /** There is a grant to the caller. */
  | { readonly type: 'grant' }
  /** The request, or what it is about, has this value; null: none. */
  | { readonly type: 'condition'; readonly key: string; readonly value: string | null }

export type AppliedChange = {
  readonly change: Change
  apply(request: AccessRequest): AccessRequest
}

/** How many are tried at most: policies can be long. */
const changesMax = 32

/** All that might help, whether or not it does. */
export function changesFor(request: AccessRequest): readonly AppliedChange[] {
  const { layers } = explain(request)
  return [
    ...layers.flatMap((layer) => removals(layer)),
    ...layers.flatMap((layer) => allowances(request, layer)),
    ...namings(request),
    ...(request.resource.type === 'key' ? [newGrant(request.caller)] : []),
    ...conditionChanges(layers),
  ].slice(0, changesMax)
}

function removals({ layer, policies }: LayerTrace): readonly AppliedChange[] {
  return policies.flatMap(({ name, digest, statements }) =>
    statements
      .filter(({ matched, effect }) => matched && effect === 'Deny')
      .map(({ index, sid }) => ({
        change: { type: 'remove-statement', layer, policy: name, index, sid } as const,
        apply: (request) =>
          withPolicies(request, layer, undefined, (policies) =>
            policies.map((sourced) =>
              sourced.policy.digest === digest && sourced.name === name
                ? { ...sourced, policy: withoutStatement(sourced.policy, index) }
                : sourced,
            ),
          ),
      })),
  )
}

function withoutStatement(policy: CompiledPolicy, index: number): CompiledPolicy {
  return { ...policy, denies: policy.denies.filter((statement) => statement.index !== index) }
}

/** Layers of which a policy has to allow: those of the resource are for `namings`. */
function allowances(request: AccessRequest, trace: LayerTrace): readonly AppliedChange[] {
  const { layer, level, result } = trace
  const kind = kinds[layer]
  if (kind === undefined || result === 'allow' || result === 'not-applicable') return []
  const policy = allowing(request, kind, kind === 'resource-control' ? '*' : undefined)
  const added: SourcedPolicy = { name: 'added', version: undefined, policy }
  return [
    {
      change: { type: 'allow', layer, level },
      apply: (changed) =>
        withPolicies(changed, layer, level, (policies) =>
          layer === 'permissions-boundary'
            ? policies.map((own) => ({ ...own, policy: merged(own.policy, policy) }))
            : [...policies, added],
        ),
    },
  ]
}

const kinds: Partial<Readonly<Record<LayerName, PolicyKind>>> = {
  'service-control-policy': 'service-control',
  'resource-control-policy': 'resource-control',
  'identity-policy': 'identity',
  'permissions-boundary': 'identity',
  'session-policy': 'identity',
}

function namings(request: AccessRequest): readonly AppliedChange[] {
  const { caller, resource } = request
  if (resource.type === 'identity') return []
  const kind = resource.type === 'role' ? 'trust' : resource.type
  const naming = (principal: string) => {
    const policy = allowing(request, kind, principal)
    return (changed: AccessRequest) => withOwnPolicy(changed, (own) => merged(own, policy))
  }
  const { account, roleId, roleArn, principalId, arn } = caller
  const delegate = {
    change: { type: 'delegate', account } as const,
    apply: naming(account),
  }
  // The root user is its account.
  if (caller.type !== 'user' && caller.type !== 'role-session') return [delegate]
  const principal = roleId === undefined ? arn : (roleArn ?? roleId)
  const named = {
    change: { type: 'name-caller', principal } as const,
    apply: naming(roleId ?? principalId),
  }
  return [delegate, named]
}

function newGrant(caller: Caller): AppliedChange {
  const grantee = caller.type === 'user' || caller.type === 'role-session' ? caller.type : 'account'
  const grant = { grantId: 'added', grantee } as const
  return {
    change: { type: 'grant' },
    apply: (request) => ({ ...request, grant: () => grant }),
  }
}

/** A policy that allows the action on the resource, and nothing else. */
function allowing(
  { permission, resource }: AccessRequest,
  kind: PolicyKind,
  principal: string | undefined,
): CompiledPolicy {
  const named = principal === '*' ? { Principal: '*' } : { Principal: { AWS: principal } }
  const statement = {
    Effect: 'Allow',
    ...(principal === undefined ? {} : named),
    Action: permission,
    ...(kind === 'trust' ? {} : { Resource: resource.arn }),
  }
  const document = { Version: '2012-10-17', Statement: [statement] }
  return compilePolicy(JSON.stringify(document), kind)
}

function merged(one: CompiledPolicy, other: CompiledPolicy): CompiledPolicy {
  return { ...one, allows: [...one.allows, ...other.allows] }
}

/** Facts about who calls and when; nobody changes them to be allowed something. */
const given: ReadonlySet<string> = new Set(
  [
    ...['aws:PrincipalArn', 'aws:PrincipalAccount', 'aws:PrincipalType', 'aws:userid'],
    ...['aws:username', 'aws:PrincipalIsAWSService', 'aws:CurrentTime', 'aws:EpochTime'],
    ...['aws:TokenIssueTime', 'aws:ResourceAccount', 'kms:CallerAccount'],
  ].map(foldKey),
)

/** Where nothing but conditions is in the way: each that failed in an Allow, or held in a Deny, turned round. */
function conditionChanges(layers: readonly LayerTrace[]): readonly AppliedChange[] {
  const found = new Map<string, AppliedChange>()
  for (const { policies } of layers) {
    for (const { effect, matched, conditions } of policies.flatMap(
      ({ statements }) => statements,
    )) {
      if (matched !== (effect === 'Deny')) continue
      for (const condition of conditions) {
        if (condition.holds !== (effect === 'Deny') || given.has(foldKey(condition.key))) continue
        for (const value of valuesFor(condition)) {
          const { key } = condition
          found.set(`${foldKey(key)} ${value}`, conditionChange(key, value))
        }
      }
    }
  }
  return [...found.values()]
}

/** Values that the policy itself names, and no value; whether one helps is for the evaluator to say. */
function valuesFor(condition: ConditionTrace): (string | null)[] {
  const { operator, policyValues, resolvedValues = policyValues, requestValues } = condition
  const known = resolvedValues.filter((value) => value !== undefined)
  const named = operator.startsWith('Null') ? ['present'] : known.filter(isPlain)
  const flipped = operator.startsWith('Bool') ? ['true', 'false'] : []
  const values: (string | null)[] = [...named, ...flipped]
  return requestValues === undefined ? values : [...values, null]
}

function isPlain(value: string): boolean {
  return !value.includes('*') && !value.includes('?')
}

function conditionChange(key: string, value: string | null): AppliedChange {
  const folded = foldKey(key)
  return {
    change: { type: 'condition', key, value },
    apply: (request) => {
      const others = request.conditions.map((values) => without(values, folded))
      return { ...request, conditions: value === null ? others : [...others, { [key]: value }] }
    },
  }
}

function without(values: ConditionValues, folded: string): ConditionValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => foldKey(name) !== folded))
}

function withOwnPolicy(
  request: AccessRequest,
  change: (policy: CompiledPolicy) => CompiledPolicy,
): AccessRequest {
  const { resource } = request
  if (resource.type === 'identity') return request
  const changed: AccessResource = { ...resource, policy: change(resource.policy) }
  return { ...request, resource: changed }
}

/** The policies of a layer, of guardrails at that level or at all of them, changed. */
function withPolicies(
  request: AccessRequest,
  layer: LayerName,
  level: number | undefined,
  change: (policies: readonly SourcedPolicy[]) => readonly SourcedPolicy[],
): AccessRequest {
  const levels = (all: readonly (readonly SourcedPolicy[])[] = []) =>
    all.map((policies, at) => (level === undefined || at === level ? change(policies) : policies))
  const { layers = noLayers, resourceControl, resource } = request
  const withLayers = (changed: Partial<CallerLayers>) => ({
    ...request,
    layers: { ...layers, ...changed },
  })
  switch (layer) {
    case 'service-control-policy':
      return withLayers({ serviceControl: levels(layers.serviceControl) })
    case 'resource-control-policy':
      return { ...request, resourceControl: levels(resourceControl) }
    case 'identity-policy':
      return withLayers({ identity: change(layers.identity) })
    case 'permissions-boundary':
      return withLayers({ boundary: layers.boundary && change([layers.boundary])[0] })
    case 'session-policy':
      return withLayers({ session: layers.session && change(layers.session) })
    case 'key-policy':
    case 'trust-policy':
    case 'bucket-policy':
      return withOwnPolicy(request, (policy) => {
        const own = { name: resource.arn, version: undefined, policy }
        return change([own])[0]?.policy ?? policy
      })
    case 'grant':
      return request
  }
}
