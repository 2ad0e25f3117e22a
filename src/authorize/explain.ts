import type { Atom } from './conditions/atom.ts'
import { TooMuchWork, valuesOf } from './conditions/context.ts'
import { decide } from './evaluate.ts'
import type { SourcedPolicy } from './layers.ts'
import type { CompiledStatement } from './policy/compile.ts'
import { Question } from './question.ts'
import type { AccessRequest } from './request.ts'
import type {
  ConditionTrace,
  Explanation,
  LayerName,
  LayerResult,
  LayerTrace,
  PolicyTrace,
  StatementTrace,
} from './trace.ts'
import { layerOfResource } from './trace.ts'

/**
 * The decision, made by the same code, and what every layer says to the request: all statements of all policies, also
 * those that the decision had no need to look at.
 */
export function explain(request: AccessRequest): Explanation {
  const decision = decide(request)
  const layers: LayerTrace[] = []
  if (!decision.allowed && decision.reason === 'cross-account-operation')
    return { decision, layers }
  try {
    for (const layer of layersOf(new Question(request))) layers.push(layer)
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error
  }
  return { decision, layers }
}

function* layersOf(question: Question): Generator<LayerTrace> {
  const { layers, resourceControl, request } = question
  const { resource } = request
  yield* levels(question, 'service-control-policy', layers.serviceControl)
  yield* levels(question, 'resource-control-policy', resourceControl)
  if (resource.type !== 'identity') {
    const { arn, type, policy } = resource
    yield traced(question, layerOfResource[type], [{ name: arn, version: undefined, policy }])
  }
  yield traced(question, 'identity-policy', layers.identity)
  yield traced(question, 'permissions-boundary', layers.boundary && [layers.boundary])
  yield traced(question, 'session-policy', layers.session)
  yield grantLayer(question)
}

function* levels(
  question: Question,
  layer: LayerName,
  guardrails: readonly (readonly SourcedPolicy[])[],
): Generator<LayerTrace> {
  if (guardrails.length === 0) yield traced(question, layer, undefined)
  for (const [level, policies] of guardrails.entries()) {
    yield { ...traced(question, layer, policies), level }
  }
}

function grantLayer(question: Question): LayerTrace {
  const { request } = question
  const layer = 'grant'
  if (request.resource.type === 'identity' || request.grant === undefined) {
    return { layer, result: 'not-applicable', policies: [] }
  }
  const { grant } = question
  if (grant === undefined) return { layer, result: 'implicit-deny', policies: [] }
  return { layer, result: 'allow', policies: [], grantId: grant.grantId }
}

const ofResources: ReadonlySet<LayerName> = new Set<LayerName>([
  'resource-control-policy',
  ...Object.values(layerOfResource),
])

function traced(
  question: Question,
  layer: LayerName,
  sources: readonly SourcedPolicy[] | undefined,
): LayerTrace {
  if (sources === undefined) return { layer, result: 'not-applicable', policies: [] }
  question.context.side = ofResources.has(layer) ? 'resource' : 'caller'
  const policies = sources.map((source) => tracedPolicy(question, source))
  return { layer, result: resultOf(policies), policies }
}

function resultOf(policies: readonly PolicyTrace[]): LayerResult {
  const matched = policies.flatMap(({ statements }) => statements).filter((one) => one.matched)
  if (matched.some(({ effect }) => effect === 'Deny')) return 'explicit-deny'
  return matched.length > 0 ? 'allow' : 'implicit-deny'
}

function tracedPolicy(question: Question, { name, version, policy }: SourcedPolicy): PolicyTrace {
  const statements = [...policy.denies, ...policy.allows]
  return {
    name,
    version,
    digest: policy.digest,
    statements: statements.map((statement) => tracedStatement(question, statement)),
  }
}

function tracedStatement(question: Question, statement: CompiledStatement): StatementTrace {
  const { index, sid, effect } = statement
  const element = question.failedElement(statement)
  const conditions =
    element === undefined ? statement.conditions.map((atom) => tracedCondition(question, atom)) : []
  const failed = element ?? (conditions.every(({ holds }) => holds) ? undefined : 'condition')
  const matched = failed === undefined
  return { index, sid, effect, matched, match: question.match(statement), failed, conditions }
}

function tracedCondition({ context }: Question, atom: Atom): ConditionTrace {
  const { operator, key, values } = atom
  const { holds, rule } = atom.evaluate(context)
  const found = context.get(atom.foldedKey)
  const requestValues = found === undefined ? undefined : valuesOf(found)
  const traced = { operator, key, policyValues: values, requestValues, holds, rule }
  const resolvedValues = atom.resolve(context)
  return resolvedValues === undefined ? traced : { ...traced, resolvedValues }
}
