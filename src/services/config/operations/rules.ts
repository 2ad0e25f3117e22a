import { ServiceError } from '../../../base/errors.ts'
import {
  boolean,
  list,
  oneOf,
  required,
  string,
  structure,
  timestamp,
} from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { check, checkRule, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { invalidParameter, noSuchRule } from '../errors.ts'
import { limitOf, pageOf, positionOf } from '../paging.ts'
import { configRule, ruleOf } from '../rule-request.ts'
import { limit, nextToken, ruleName, ruleNames, tags } from '../shapes.ts'
import { type RuleRecord, ruleArn, ruleRow } from '../state.ts'
import { requireTags } from '../tags.ts'

/** Of an account in a Region. */
const rulesMax = 50

/** The named rules, or all. Throws 'no-such-config-rule'. */
export function rulesNamed(
  call: CallContext,
  names: readonly string[] | undefined,
  { config }: ConfigDeps,
): readonly RuleRecord[] {
  const where = whereOf(call)
  if (names === undefined || names.length === 0) return config.rulesOf(where)
  return names.map((name) => ruleNamed(call, name, { config }))
}

export function ruleNamed(
  call: CallContext,
  name: string,
  { config }: Pick<ConfigDeps, 'config'>,
): RuleRecord {
  const rule = config.rule(whereOf(call), name)
  if (rule === undefined) throw noSuchRule(name)
  return rule
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigRule.html */
export const putConfigRule = operation({
  name: 'PutConfigRule',
  input: structure({ ConfigRule: required(configRule), Tags: tags }),
  output: undefined,
  effects: 'write',
  errors: ['config-rules-exceeded', 'invalid-parameter-value'],
  resolve(call, { ConfigRule: asked, Tags = [] }, { config, random }: ConfigDeps) {
    const where = whereOf(call)
    const rules = config.rulesOf(where)
    const { ConfigRuleName: name, ConfigRuleArn: arn, ConfigRuleId: id } = asked
    const before = rules.find(
      (rule) => rule.name === name || ruleArn(rule) === arn || rule.ruleId === id,
    )
    if (before === undefined && (arn !== undefined || id !== undefined)) {
      throw invalidParameter('ConfigRuleArn and ConfigRuleId are those of a rule that is there.')
    }
    const isOther =
      (name ?? before?.name) !== before?.name ||
      (arn !== undefined && before !== undefined && arn !== ruleArn(before)) ||
      (id !== undefined && id !== before?.ruleId)
    if (before !== undefined && isOther) {
      throw invalidParameter('ConfigRuleName, ConfigRuleArn and ConfigRuleId are of several rules.')
    }
    requireTags(Tags)
    const rule = ruleOf(asked, before, where, call.now, random)
    // Tags come with a new rule alone.
    return { before, rule: before === undefined ? { ...rule, tags: Tags } : rule }
  },
  checks: (call, { Tags }, { rule, before }) =>
    checkRule(call, 'PutConfigRule', before ?? { ...rule, tags: [] }, requestTagConditions(Tags)),
  audit: { request: (request) => shown(request, ['ConfigRule', 'Tags']) },
  handle(call, _request, { before, rule }, { config }) {
    if (before === undefined && config.rulesOf(whereOf(call)).length >= rulesMax) {
      throw new ServiceError(
        'config-rules-exceeded',
        `Account already contains '${rulesMax}' config rules. Consider deleting some rules before adding new ones.`,
      )
    }
    return { output: undefined, changes: [config.rules.put(ruleRow(rule), rule)] }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigRules.html */
export const describeConfigRules = operation({
  name: 'DescribeConfigRules',
  input: structure({
    ConfigRuleNames: ruleNames,
    NextToken: nextToken,
    Filters: structure({ EvaluationMode: oneOf('DETECTIVE', 'PROACTIVE') }),
  }),
  output: structure({ ConfigRules: list(configRule), NextToken: nextToken }),
  effects: 'read',
  errors: ['invalid-next-token', 'no-such-config-rule'],
  resolve(call, { ConfigRuleNames, NextToken: token, Filters }, deps: ConfigDeps) {
    const scope = ['rules', ConfigRuleNames ?? null, Filters?.EvaluationMode ?? null]
    positionOf(token, scope)
    const isNone = Filters?.EvaluationMode === 'PROACTIVE'
    const rules = rulesNamed(call, ConfigRuleNames, deps)
    return { rules: isNone ? [] : rules, page: { token, scope, limit: 25 } }
  },
  checks: (call) => check(call, 'DescribeConfigRules'),
  audit: { request: (request) => shown(request, ['ConfigRuleNames', 'Filters']) },
  handle(_call, _request, { rules, page }) {
    const { items, NextToken } = pageOf(rules, ({ name }) => name, page)
    return { output: { ConfigRules: items.map(describedRule), NextToken } }
  },
})

function describedRule(rule: RuleRecord) {
  const { scope, description, inputParameters, frequency } = rule
  return {
    ConfigRuleName: rule.name,
    ConfigRuleArn: ruleArn(rule),
    ConfigRuleId: rule.ruleId,
    Description: description,
    Scope: scope && {
      ComplianceResourceTypes: scope.types,
      TagKey: scope.tagKey,
      TagValue: scope.tagValue,
      ComplianceResourceId: scope.resourceId,
    },
    Source: { Owner: 'AWS' as const, SourceIdentifier: rule.sourceIdentifier },
    InputParameters: inputParameters,
    MaximumExecutionFrequency: frequency as 'One_Hour' | undefined,
    ConfigRuleState: 'ACTIVE' as const,
    EvaluationModes: [{ Mode: 'DETECTIVE' as const }],
  }
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DeleteConfigRule.html */
export const deleteConfigRule = operation({
  name: 'DeleteConfigRule',
  input: structure({ ConfigRuleName: required(ruleName) }),
  output: undefined,
  effects: 'write',
  errors: ['no-such-config-rule'],
  resolve: (call, { ConfigRuleName }, deps: ConfigDeps) => ruleNamed(call, ConfigRuleName, deps),
  checks: (call, _request, rule) => checkRule(call, 'DeleteConfigRule', rule),
  audit: { request: (request) => shown(request, ['ConfigRuleName']) },
  handle: (_call, _request, rule, { config }) => ({
    output: undefined,
    changes: [config.rules.remove(ruleRow(rule))],
  }),
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigRuleEvaluationStatus.html */
export const describeConfigRuleEvaluationStatus = operation({
  name: 'DescribeConfigRuleEvaluationStatus',
  input: structure({ ConfigRuleNames: ruleNames, NextToken: nextToken, Limit: limit }),
  output: structure({
    ConfigRulesEvaluationStatus: list(
      structure({
        ConfigRuleName: string(),
        ConfigRuleArn: string(),
        ConfigRuleId: string(),
        LastSuccessfulInvocationTime: timestamp(),
        LastFailedInvocationTime: timestamp(),
        LastSuccessfulEvaluationTime: timestamp(),
        LastFailedEvaluationTime: timestamp(),
        FirstActivatedTime: timestamp(),
        LastDeactivatedTime: timestamp(),
        LastErrorCode: string(),
        LastErrorMessage: string(),
        FirstEvaluationStarted: boolean(),
        LastDebugLogDeliveryStatus: string(),
        LastDebugLogDeliveryStatusReason: string(),
        LastDebugLogDeliveryTime: timestamp(),
      }),
    ),
    NextToken: nextToken,
  }),
  effects: 'read',
  errors: ['invalid-limit', 'invalid-next-token', 'no-such-config-rule'],
  resolve(call, { ConfigRuleNames, NextToken: token, Limit }, deps: ConfigDeps) {
    const scope = ['status', ConfigRuleNames ?? null]
    positionOf(token, scope)
    const rules = rulesNamed(call, ConfigRuleNames, deps)
    return { rules, page: { token, scope, limit: limitOf(Limit, 50, 50) } }
  },
  checks: (call) => check(call, 'DescribeConfigRuleEvaluationStatus'),
  audit: { request: (request) => shown(request, ['ConfigRuleNames', 'Limit']) },
  handle(_call, _request, { rules, page }, { compliance }) {
    const { items, NextToken } = pageOf(rules, ({ name }) => name, page)
    const ConfigRulesEvaluationStatus = items.map((rule) => {
      const evaluatedAt = compliance.evaluatedAt(rule)
      return {
        ConfigRuleName: rule.name,
        ConfigRuleArn: ruleArn(rule),
        ConfigRuleId: rule.ruleId,
        FirstActivatedTime: rule.createdAt,
        FirstEvaluationStarted: evaluatedAt !== undefined,
        ...(evaluatedAt !== undefined && {
          LastSuccessfulInvocationTime: evaluatedAt,
          LastSuccessfulEvaluationTime: evaluatedAt,
        }),
      }
    })
    return { output: { ConfigRulesEvaluationStatus, NextToken } }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_StartConfigRulesEvaluation.html */
export const startConfigRulesEvaluation = operation({
  name: 'StartConfigRulesEvaluation',
  input: structure({ ConfigRuleNames: list(ruleName, { min: 1, max: 25 }) }),
  output: structure({}),
  effects: 'use',
  errors: ['no-such-config-rule'],
  resolve: (call, { ConfigRuleNames }, deps: ConfigDeps) => rulesNamed(call, ConfigRuleNames, deps),
  *checks(call, _request, rules) {
    for (const rule of rules) yield* checkRule(call, 'StartConfigRulesEvaluation', rule)
    if (rules.length === 0) yield* check(call, 'StartConfigRulesEvaluation')
  },
  audit: { request: (request) => shown(request, ['ConfigRuleNames']) },
  handle(_call, _request, rules, { compliance }) {
    for (const rule of rules) compliance.evaluate(rule)
    return { output: {} }
  },
})
