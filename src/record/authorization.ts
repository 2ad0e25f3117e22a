import { Ambiguous, type AskedKeys, type ContextValue } from '../authorize/conditions/context.ts'
import type { Evidence, PolicyLayer, Side } from '../authorize/evidence.ts'
import { ownerOfFact } from '../authorize/fact-owner.ts'
import { type CallerLayers, noLayers, type SourcedPolicy } from '../authorize/layers.ts'
import { noBucketPolicy } from '../authorize/policy/bucket.ts'
import type { AccessRequest } from '../authorize/request.ts'
import { layerOfResource } from '../authorize/trace.ts'
import { jsonText, quote } from './event.ts'

/**
 * Decisions as JSON text (`RecordedDecision`). Put together by hand, since it is made for every call: what depends on
 * policies alone is made once and kept, and what the policies asked of the request is written behind it.
 */
export function decisionText(evidence: Evidence, side?: Side): string {
  const { context } = evidence
  const text = side === undefined ? keptText(evidence) : textOf(evidence, side)
  const byResource = context.asked('resource')
  const byCaller = context.asked('caller')
  if (side === undefined) return `${text}${conditionsText(byResource, byCaller)}}`
  const own = side === 'caller' ? byCaller : byResource
  const others = side === 'caller' ? byResource : byCaller
  return `${text}${conditionsOfSide(side, own, others)}}`
}

type Kept = Pick<Evidence, 'decision'> & {
  readonly permission: string
  readonly digest: string | undefined
  readonly account: string
  readonly layers: CallerLayers
  readonly resourceControl: Levels
  readonly text: string
}

/** Of the resources of late, what was last decided about each, without what was asked of the request. */
const keptTexts = new Map<string, Kept>()
const keptMax = 4096
/** A caller can have hundreds of policies: what is long is made anew. */
const keptLengthMax = 4096

function keptText(evidence: Evidence): string {
  const { request, decision, grant } = evidence
  const { permission, resource, caller, layers = noLayers } = request
  if (grant !== undefined) return textOf(evidence, undefined)
  const resourceControl = resourceControlOf(request)
  const digest = digestOf(request)
  const { account } = caller
  const kept = keptTexts.get(resource.arn)
  if (
    kept !== undefined &&
    kept.permission === permission &&
    kept.layers === layers &&
    kept.digest === digest &&
    kept.account === account &&
    kept.resourceControl === resourceControl &&
    isSame(kept.decision, decision)
  ) {
    return kept.text
  }
  const text = textOf(evidence, undefined)
  if (text.length > keptLengthMax) return text
  if (keptTexts.size >= keptMax) keptTexts.clear()
  const made = { decision, permission, digest, account, layers, resourceControl, text }
  keptTexts.set(resource.arn, made)
  return text
}

function isSame(one: Evidence['decision'], other: Evidence['decision']): boolean {
  if (one === other) return true
  return one.reason === other.reason && pathOf(one) === pathOf(other)
}

function pathOf(decision: Evidence['decision']): string | undefined {
  return decision.allowed ? decision.path : undefined
}

/** All but the conditions and the closing brace. */
function textOf(evidence: Evidence, side: Side | undefined): string {
  const { request, decision, grant } = evidence
  const { caller, permission, resource, layers = noLayers } = request
  let text = `{"permission":${quote(permission)},"resource":${quote(resource.arn)}`
  if (resource.account !== caller.account) text += `,"account":${quote(resource.account)}`
  if (side !== undefined) text += `,"side":"${side}"`
  text += `,"allowed":${decision.allowed},"reason":"${decision.reason}"`
  let policies = ''
  if (side !== 'caller') {
    const path = pathOf(decision)
    if (path !== undefined) text += `,"path":"${path}"`
    if (grant !== undefined) {
      text += `,"grant":{"id":${quote(grant.grantId)},"grantee":"${grant.grantee}"}`
    }
    const levels = resourceControlOf(request)
    if (levels.length > 0) text += `,"resourceControlLevels":${levels.length}`
    policies = ownPolicyText(request) + resourceControlText(levels)
  }
  if (side !== 'resource') {
    const { session, serviceControl } = layers
    if (session !== undefined) text += ',"session":true'
    if (serviceControl.length > 0) text += `,"serviceControlLevels":${serviceControl.length}`
    policies += callerText(layers)
  }
  return policies === '' ? text : `${text},"policies":[${policies.slice(1)}]`
}

function digestOf({ resource }: AccessRequest): string | undefined {
  return resource.type === 'identity' ? undefined : resource.policy.digest
}

/** It and those below: each policy with a comma before it. */
function ownPolicyText({ resource }: AccessRequest): string {
  if (resource.type === 'identity' || resource.policy === noBucketPolicy) return ''
  const layer = layerOfResource[resource.type]
  return `,{"layer":"${layer}","digest":"${resource.policy.digest}"}`
}

type Levels = readonly (readonly SourcedPolicy[])[]
const noLevels: Levels = []
const levelTexts = new WeakMap<Levels, string>()

/** They are asked where the resource has a policy of its own. */
function resourceControlOf({ resource, resourceControl }: AccessRequest): Levels {
  if (resource.type === 'identity' || resourceControl === undefined) return noLevels
  return resourceControl.length === 0 ? noLevels : resourceControl
}

function resourceControlText(levels: Levels): string {
  if (levels.length === 0) return ''
  let text = levelTexts.get(levels)
  if (text === undefined) {
    text = policiesOfLevels('resource-control-policy', levels)
    levelTexts.set(levels, text)
  }
  return text
}

const callerTexts = new WeakMap<CallerLayers, string>()

function callerText(layers: CallerLayers): string {
  let text = callerTexts.get(layers)
  if (text === undefined) {
    const { identity, boundary, session = [], serviceControl } = layers
    text = policiesText('identity-policy', identity)
    if (boundary !== undefined) text += policiesText('permissions-boundary', [boundary])
    text += policiesText('session-policy', session)
    text += policiesOfLevels('service-control-policy', serviceControl)
    callerTexts.set(layers, text)
  }
  return text
}

function policiesOfLevels(layer: PolicyLayer, levels: Levels): string {
  return levels.map((policies, level) => policiesText(layer, policies, level)).join('')
}

function policiesText(
  layer: PolicyLayer,
  policies: readonly SourcedPolicy[],
  level?: number,
): string {
  return policies
    .map(({ name, version, policy }) => {
      const { digest } = policy
      return `,${jsonText({ layer, name, version, level, digest })}`
    })
    .join('')
}

/** A key that both sides asked for has one value and stands there once; one may be kept from the resource's side. */
function conditionsText(one: AskedKeys | undefined, other: AskedKeys | undefined): string {
  if (one === undefined && other === undefined) return ''
  let text = ''
  if (one !== undefined) {
    for (const [key, value] of one) {
      text += `,${quote(key)}:${valueText(value ?? other?.get(key))}`
    }
  }
  if (other !== undefined) {
    for (const [key, value] of other) {
      if (one?.has(key) !== true) text += `,${quote(key)}:${valueText(value)}`
    }
  }
  return `,"conditions":{${text.slice(1)}}`
}

/**
 * In the record of one of two accounts: what its own policies asked, but for facts of the other account, and what the
 * other's policies asked of facts of its own. Each fact stands in the record of the account that it is about.
 */
function conditionsOfSide(
  side: Side,
  own: AskedKeys | undefined,
  others: AskedKeys | undefined,
): string {
  let text = ''
  for (const [key, value] of own ?? []) {
    const owner = ownerOfFact(key)
    const isOthers = owner !== side && owner !== 'request'
    const known = value ?? (owner === side ? others?.get(key) : undefined)
    text += `,${quote(key)}:${isOthers ? '{"hidden":true}' : valueText(known)}`
  }
  for (const [key, value] of others ?? []) {
    if (own?.has(key) !== true && ownerOfFact(key) === side) {
      text += `,${quote(key)}:${valueText(value)}`
    }
  }
  return text === '' ? '' : `,"conditions":{${text.slice(1)}}`
}

function valueText(value: ContextValue | undefined): string {
  if (value === undefined) return 'null'
  if (typeof value === 'string') return quote(value)
  return jsonText(value instanceof Ambiguous ? { several: value.values } : value)
}
