import { keyPermissions } from '../../../authorize/analyse/permissions.ts'
import { foldKey } from '../../../authorize/conditions/folded-names.ts'
import type { Decision } from '../../../authorize/decision.ts'
import { explain } from '../../../authorize/explain.ts'
import { parsePolicy } from '../../../authorize/policy/parse.ts'
import type { AccessResource } from '../../../authorize/request.ts'
import type { Explanation, LayerTrace, StatementTrace } from '../../../authorize/trace.ts'
import { conditionKeys, distinctKeys, resourceVariables } from './context-keys.ts'
import { type Span, statementSpans } from './positions.ts'
import type { Scenario } from './scenario.ts'
import type { EvaluationResult } from './shapes.ts'

type Outcome = 'allowed' | 'explicitDeny' | 'implicitDeny'

/** One simulated request, decided by the evaluator that decides real ones. */
export function evaluate(
  scenario: Scenario,
  texts: PolicyTexts,
  permission: string,
  arn: string,
): EvaluationResult {
  const { caller, layers, context } = scenario
  const resource = resourceOf(scenario, permission, arn)
  const explanation = explain({
    caller,
    permission,
    resource,
    conditions: [context],
    layers,
    resourceControl: scenario.resourceControl(resource.account),
  })
  const decision = outcomeOf(explanation.decision)
  const evaluation = {
    MatchedStatements: matchedStatements(explanation, decision, texts),
    MissingContextValues: missingKeys(explanation, scenario, texts),
    ...boundaryDetail(explanation),
    ...(arn !== '*' && { EvalDecisionDetails: decisionDetails(explanation, scenario, arn) }),
  }
  return {
    EvalActionName: permission,
    EvalResourceName: arn,
    EvalDecision: decision,
    ...evaluation,
    ...organizationsDetail(explanation),
    ...(arn !== '*' && {
      ResourceSpecificResults: [
        { EvalResourceName: arn, EvalResourceDecision: decision, ...evaluation },
      ],
    }),
  }
}

/** What a statement says and where it stands, by the digest of its policy; each policy is read once for a call. */
export class PolicyTexts {
  readonly #texts = new Map<string, string>()
  readonly #spans = new Map<string, readonly Span[]>()
  readonly #keys = new Map<string, readonly StatementKeys[]>()

  constructor({ layers, resourcePolicy }: Scenario) {
    for (const { policy } of [...layers.identity, ...(layers.boundary ? [layers.boundary] : [])]) {
      this.#texts.set(policy.digest, policy.text)
    }
    // Principals are bound in the policy that is evaluated: places are those of the text that was given.
    if (resourcePolicy !== undefined) {
      this.#texts.set(resourcePolicy.policy.digest, resourcePolicy.given)
    }
  }

  spanOf(layer: LayerTrace['layer'], digest: string, index: number): Span | undefined {
    return this.#read(this.#spans, digest, (text) => statementSpans(text, kindOf(layer)))?.[index]
  }

  keysOf(layer: LayerTrace['layer'], digest: string, index: number): StatementKeys | undefined {
    const keys = this.#read(this.#keys, digest, (text) => statementKeys(text, kindOf(layer)))
    return keys?.[index]
  }

  #read<T>(
    known: Map<string, readonly T[]>,
    digest: string,
    read: (text: string) => readonly T[],
  ): readonly T[] | undefined {
    const text = this.#texts.get(digest)
    const found = known.get(digest) ?? (text === undefined ? undefined : read(text))
    if (found !== undefined) known.set(digest, found)
    return found
  }
}

type StatementKeys = {
  readonly conditions: readonly string[]
  readonly resource: readonly string[]
}

function statementKeys(text: string, kind: 'identity' | 'key'): readonly StatementKeys[] {
  const { statements, version } = parsePolicy(text, kind)
  return statements.map((statement) => ({
    conditions: conditionKeys(statement, version),
    resource: resourceVariables(statement, version),
  }))
}

function kindOf(layer: LayerTrace['layer']): 'identity' | 'key' {
  return layer === 'key-policy' ? 'key' : 'identity'
}

function resourceOf(
  { resourcePolicy, ownerOf }: Scenario,
  permission: string,
  arn: string,
): AccessResource {
  const account = ownerOf(arn)
  if (resourcePolicy === undefined) return { type: 'identity', arn, account }
  const crossAccount = sharedPermissions.has(permission.toLowerCase())
  return { type: 'key', arn, account, policy: resourcePolicy.policy, crossAccount }
}

/** Those that AWS lets other accounts have. */
const sharedPermissions: ReadonlySet<string> = new Set(
  keyPermissions
    .filter(({ crossAccount }) => crossAccount)
    .map(({ name }) => `kms:${name}`.toLowerCase()),
)

function outcomeOf(decision: Decision): Outcome {
  if (decision.allowed) return 'allowed'
  return decision.reason.startsWith('explicit-deny') ? 'explicitDeny' : 'implicitDeny'
}

/** Layers whose policies are the simulation's to show; guardrails are the organisation's. */
const shownLayers: ReadonlySet<string> = new Set([
  'key-policy',
  'identity-policy',
  'permissions-boundary',
])

/** The statements that deny, or else those that allow. */
function matchedStatements(
  { layers }: Explanation,
  decision: Outcome,
  texts: PolicyTexts,
): EvaluationResult['MatchedStatements'] {
  if (decision === 'implicitDeny') return []
  const effect = decision === 'allowed' ? 'Allow' : 'Deny'
  const deciding = (layer: LayerTrace['layer']) =>
    shownLayers.has(layer) && (effect === 'Deny' || layer !== 'permissions-boundary')
  return layers
    .filter(({ layer }) => deciding(layer))
    .flatMap(({ layer, policies }) =>
      policies.flatMap(({ name, digest, statements }) =>
        statements
          .filter((statement) => statement.matched && statement.effect === effect)
          .map(({ index }) => ({
            SourcePolicyId: layer === 'key-policy' ? 'ResourcePolicy' : sourcePolicyId(name),
            SourcePolicyType: layer === 'key-policy' ? 'Resource Policy' : 'IAM Policy',
            ...texts.spanOf(layer, digest, index),
          })),
      ),
    )
}

const inlineForm = /^arn:aws:iam::\d{12}:(user|group|role)\/(?:.*\/)?([^/]+)\/([^/]+)$/

/** The name of a managed policy; `user_alice_name` for an inline one; an input is called as it is. */
function sourcePolicyId(name: string): string {
  const [, type, owner, policyName] = inlineForm.exec(name) ?? []
  if (type !== undefined) return `${type}_${owner}_${policyName}`
  return name.slice(name.lastIndexOf('/') + 1)
}

/** What statements asked that fitted otherwise, and the simulation did not say. */
function missingKeys(
  { layers }: Explanation,
  { context }: Scenario,
  texts: PolicyTexts,
): readonly string[] {
  const given = new Set(Object.keys(context).map(foldKey))
  const asked = layers
    .filter(({ layer }) => shownLayers.has(layer))
    .flatMap(({ layer, policies }) =>
      policies.flatMap(({ digest, statements }) =>
        statements.flatMap((statement) => askedBy(statement, layer, digest, texts)),
      ),
    )
  return distinctKeys(asked.filter((key) => !given.has(foldKey(key))))
}

function askedBy(
  { failed, index }: StatementTrace,
  layer: LayerTrace['layer'],
  digest: string,
  texts: PolicyTexts,
): readonly string[] {
  if (failed === 'inert' || failed === 'principal' || failed === 'action') return []
  const keys = texts.keysOf(layer, digest, index)
  if (keys === undefined) return []
  return failed === 'resource' ? keys.resource : [...keys.resource, ...keys.conditions]
}

function boundaryDetail({ layers }: Explanation) {
  const boundary = layers.find(({ layer }) => layer === 'permissions-boundary')
  if (boundary === undefined || boundary.result === 'not-applicable') return {}
  const allowed = boundary.result === 'allow'
  return { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: allowed } }
}

/** Of an account that service control policies bound. */
function organizationsDetail({ layers }: Explanation) {
  const levels = layers.filter(
    ({ layer, result }) => layer === 'service-control-policy' && result !== 'not-applicable',
  )
  if (levels.length === 0) return {}
  const allowed = levels.every(({ result }) => result === 'allow')
  return { OrganizationsDecisionDetail: { AllowedByOrganizations: allowed } }
}

/** What each side says, where they are not the same; else there is nothing in it. */
function decisionDetails(
  { layers }: Explanation,
  { caller, ownerOf }: Scenario,
  arn: string,
): Readonly<Record<string, Outcome>> {
  if (ownerOf(arn) === caller.account) return {}
  const details: Record<string, Outcome> = {}
  for (const { layer, result } of layers) {
    if (layer === 'identity-policy') details['IAM Policy'] = outcomes[result]
    if (layer === 'key-policy') details['Resource Policy'] = outcomes[result]
  }
  return details
}

const outcomes: Readonly<Record<LayerTrace['result'], Outcome>> = {
  allow: 'allowed',
  'explicit-deny': 'explicitDeny',
  'implicit-deny': 'implicitDeny',
  'not-applicable': 'implicitDeny',
}
