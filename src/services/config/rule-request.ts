import type { AccountId, Region } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import { boolean, list, oneOf, required, string, structure, type Value } from '../../wire/schema.ts'
import { invalidParameter, unknownSource } from './errors.ts'
import { managedRule, parameterFault, parametersIn } from './managed-rules.ts'
import { arn, frequency, ruleName } from './shapes.ts'
import type { RuleRecord, RuleScope } from './state.ts'

/** A rule, as requests and answers have it. */
export const configRule = structure({
  ConfigRuleName: ruleName,
  ConfigRuleArn: string({ min: 1, max: 256 }),
  ConfigRuleId: string({ min: 1, max: 64 }),
  Description: string({ max: 256 }),
  Scope: structure({
    ComplianceResourceTypes: list(string({ min: 1, max: 256 }), { max: 100 }),
    TagKey: string({ min: 1, max: 128 }),
    TagValue: string({ min: 1, max: 256 }),
    ComplianceResourceId: string({ min: 1, max: 768 }),
  }),
  Source: required(
    structure({
      Owner: required(oneOf('CUSTOM_LAMBDA', 'AWS', 'CUSTOM_POLICY')),
      SourceIdentifier: string({ min: 1, max: 256 }),
      SourceDetails: list(
        structure({
          EventSource: oneOf('aws.config'),
          MessageType: string({ max: 64 }),
          MaximumExecutionFrequency: frequency,
        }),
        { max: 25 },
      ),
      CustomPolicyDetails: structure({
        PolicyRuntime: required(string({ min: 1, max: 64, pattern: 'guard-2\\.x\\.x' })),
        PolicyText: required(string({ max: 10_000 })),
        EnableDebugLogDelivery: boolean(),
      }),
    }),
  ),
  InputParameters: string({ min: 1, max: 1024 }),
  MaximumExecutionFrequency: frequency,
  ConfigRuleState: oneOf('ACTIVE', 'DELETING', 'DELETING_RESULTS', 'EVALUATING'),
  CreatedBy: string({ min: 1, max: 256 }),
  EvaluationModes: list(structure({ Mode: oneOf('DETECTIVE', 'PROACTIVE') }), { max: 2 }),
})
export const ruleArnShape = arn

type Asked = Value<typeof configRule>

/** What a request makes of a rule, new or known. Throws 'invalid-parameter-value'. */
export function ruleOf(
  asked: Asked,
  before: RuleRecord | undefined,
  where: { readonly account: AccountId; readonly region: Region },
  now: number,
  random: Random,
): RuleRecord {
  const name = before?.name ?? asked.ConfigRuleName
  if (name === undefined) {
    throw invalidParameter('ConfigRuleName is required to create a new rule.')
  }
  return {
    ...where,
    name,
    ruleId: before?.ruleId ?? newRuleId(random),
    description: asked.Description,
    scope: scopeOf(asked.Scope),
    sourceIdentifier: sourceOf(asked),
    inputParameters: asked.InputParameters,
    frequency: asked.MaximumExecutionFrequency,
    createdAt: before?.createdAt ?? now,
    changedAt: now,
    tags: before?.tags ?? [],
  }
}

function sourceOf(asked: Asked): string {
  const { Owner, SourceIdentifier = '', SourceDetails, CustomPolicyDetails } = asked.Source
  if (Owner !== 'AWS') {
    throw invalidParameter(
      `Rules of the owner ${Owner} are not supported: there are managed rules.`,
    )
  }
  const rule = managedRule(SourceIdentifier)
  if (rule === undefined) throw unknownSource(SourceIdentifier)
  if (SourceDetails !== undefined || CustomPolicyDetails !== undefined) {
    throw invalidParameter('SourceDetails and CustomPolicyDetails are for custom rules.')
  }
  if (asked.MaximumExecutionFrequency !== undefined && !rule.periodic) {
    throw invalidParameter(
      `MaximumExecutionFrequency is not allowed for the rule ${SourceIdentifier}, which is triggered by changes.`,
    )
  }
  if (asked.EvaluationModes?.some(({ Mode }) => Mode !== 'DETECTIVE') === true) {
    throw invalidParameter('The rule supports the evaluation mode DETECTIVE.')
  }
  if (asked.CreatedBy !== undefined) throw invalidParameter('CreatedBy is set by services.')
  if ((asked.ConfigRuleState ?? 'ACTIVE') !== 'ACTIVE') {
    throw invalidParameter('ConfigRuleState can only be ACTIVE.')
  }
  const parameters = parametersIn(asked.InputParameters)
  if (parameters === undefined) throw invalidParameter('InputParameters must be a JSON object.')
  const fault = parameterFault(rule, parameters)
  if (fault !== undefined) throw invalidParameter(fault)
  return SourceIdentifier
}

function scopeOf(scope: Asked['Scope']): RuleScope | undefined {
  if (scope === undefined) return undefined
  const { ComplianceResourceTypes: types, ComplianceResourceId: resourceId } = scope
  const { TagKey: tagKey, TagValue: tagValue } = scope
  if (resourceId !== undefined && types?.length !== 1) {
    throw invalidParameter('A ComplianceResourceId needs exactly one ComplianceResourceType.')
  }
  if (tagValue !== undefined && tagKey === undefined) {
    throw invalidParameter('A TagValue needs a TagKey.')
  }
  return { types, resourceId, tagKey, tagValue }
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

function newRuleId(random: Random): string {
  const bytes = random.bytes(12)
  // A bias of one part in seven does not matter: it need only be another one.
  return `config-rule-${[...bytes].map((byte) => letters[byte % letters.length]).join('')}`
}
