import { list, required, string, structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { check, checkRule, shown, whereOf } from '../checks.ts'
import type { ComplianceType, ConfigDeps, Verdict } from '../deps.ts'
import { invalidParameter } from '../errors.ts'
import { limitOf, pageOf, positionOf } from '../paging.ts'
import {
  compliance,
  complianceTypeList,
  evaluationResult,
  limit,
  nextToken,
  ruleNames,
} from '../shapes.ts'
import { ruleNamed, rulesNamed } from './rules.ts'

/** AWS counts contributors up to these. */
const [ruleCap, resourceCap] = [25, 100]

type Types = readonly ComplianceType[] | undefined

function isAsked(types: Types, type: ComplianceType): boolean {
  return types === undefined || types.length === 0 || types.includes(type)
}

/** One verdict that is not compliant makes the whole not compliant; those that are not are counted. */
function summary(verdicts: readonly Verdict[] | undefined, cap: number) {
  if (verdicts === undefined || verdicts.length === 0) {
    return { ComplianceType: 'INSUFFICIENT_DATA' as ComplianceType }
  }
  const failing = verdicts.filter((verdict) => verdict.compliance === 'NON_COMPLIANT').length
  if (failing === 0) return { ComplianceType: 'COMPLIANT' as ComplianceType }
  return {
    ComplianceType: 'NON_COMPLIANT' as ComplianceType,
    ComplianceContributorCount: {
      CappedCount: Math.min(failing, cap),
      CapExceeded: failing > cap,
    },
  }
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeComplianceByConfigRule.html */
export const describeComplianceByConfigRule = operation({
  name: 'DescribeComplianceByConfigRule',
  input: structure({
    ConfigRuleNames: ruleNames,
    ComplianceTypes: complianceTypeList,
    NextToken: nextToken,
  }),
  output: structure({
    ComplianceByConfigRules: list(structure({ ConfigRuleName: string(), Compliance: compliance })),
    NextToken: nextToken,
  }),
  effects: 'read',
  errors: ['invalid-next-token', 'no-such-config-rule'],
  resolve(call, { ConfigRuleNames, ComplianceTypes, NextToken: token }, deps: ConfigDeps) {
    const scope = ['by-rule', ConfigRuleNames ?? null, ComplianceTypes ?? null]
    positionOf(token, scope)
    return { rules: rulesNamed(call, ConfigRuleNames, deps), page: { token, scope, limit: 25 } }
  },
  checks: (call) => check(call, 'DescribeComplianceByConfigRule'),
  audit: { request: (request) => shown(request, ['ConfigRuleNames', 'ComplianceTypes']) },
  handle(_call, { ComplianceTypes }, { rules, page }, deps) {
    const all = rules
      .map((rule) => ({
        ConfigRuleName: rule.name,
        Compliance: summary(deps.compliance.of(rule), ruleCap),
      }))
      .filter(({ Compliance }) => isAsked(ComplianceTypes, Compliance.ComplianceType))
    const { items, NextToken } = pageOf(all, ({ ConfigRuleName }) => ConfigRuleName, page)
    return { output: { ComplianceByConfigRules: items, NextToken } }
  },
})

function everyVerdict(call: CallContext, { config, compliance }: ConfigDeps): readonly Verdict[] {
  return config.rulesOf(whereOf(call)).flatMap((rule) => compliance.of(rule) ?? [])
}

const nameOf = ({ type, resourceId }: Pick<Verdict, 'type' | 'resourceId'>) =>
  `${type} ${resourceId}`

/** https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeComplianceByResource.html */
export const describeComplianceByResource = operation({
  name: 'DescribeComplianceByResource',
  input: structure({
    ResourceType: string({ min: 1, max: 256 }),
    ResourceId: string({ min: 1, max: 768 }),
    ComplianceTypes: complianceTypeList,
    Limit: limit,
    NextToken: nextToken,
  }),
  output: structure({
    ComplianceByResources: list(
      structure({ ResourceType: string(), ResourceId: string(), Compliance: compliance }),
    ),
    NextToken: nextToken,
  }),
  effects: 'read',
  errors: ['invalid-next-token', 'invalid-parameter-value'],
  resolve(_call, request, _deps: ConfigDeps) {
    const { ResourceType, ResourceId, ComplianceTypes, Limit, NextToken: token } = request
    if (ResourceId !== undefined && ResourceType === undefined) {
      throw invalidParameter('A ResourceId needs a ResourceType.')
    }
    const scope = ['by-resource', ResourceType ?? null, ResourceId ?? null, ComplianceTypes ?? null]
    positionOf(token, scope)
    return { token, scope, limit: boundedLimit(Limit) }
  },
  checks: (call) => check(call, 'DescribeComplianceByResource'),
  audit: {
    request: (request) =>
      shown(request, ['ResourceType', 'ResourceId', 'ComplianceTypes', 'Limit']),
  },
  handle(call, { ResourceType, ResourceId, ComplianceTypes }, page, deps) {
    const groups = new Map<string, Verdict[]>()
    for (const verdict of everyVerdict(call, deps)) {
      if (ResourceType !== undefined && verdict.type !== ResourceType) continue
      if (ResourceId !== undefined && verdict.resourceId !== ResourceId) continue
      const group = groups.get(nameOf(verdict))
      if (group === undefined) groups.set(nameOf(verdict), [verdict])
      else group.push(verdict)
    }
    const all = [...groups.values()].flatMap((verdicts) => {
      const [first] = verdicts
      const Compliance = summary(verdicts, resourceCap)
      if (first === undefined || !isAsked(ComplianceTypes, Compliance.ComplianceType)) return []
      return [{ ResourceType: first.type, ResourceId: first.resourceId, Compliance }]
    })
    const text = (one: (typeof all)[number]) => `${one.ResourceType} ${one.ResourceId}`
    const sorted = all.sort((a, b) => (text(a) < text(b) ? -1 : 1))
    const { items, NextToken } = pageOf(sorted, text, page)
    return { output: { ComplianceByResources: items, NextToken } }
  },
})

/** Of these, AWS calls a limit that is out of bounds an invalid parameter. */
function boundedLimit(limit: number | undefined): number {
  if (limit !== undefined && (limit < 0 || limit > 100)) {
    throw invalidParameter('The limit must be between 0 and 100.')
  }
  return limitOf(limit, 100, 10)
}

function resultOf(verdict: Verdict) {
  const { rule, type, resourceId, annotation } = verdict
  return {
    EvaluationResultIdentifier: {
      EvaluationResultQualifier: {
        ConfigRuleName: rule,
        ResourceType: type,
        ResourceId: resourceId,
        EvaluationMode: 'DETECTIVE',
      },
      OrderingTimestamp: verdict.invokedAt,
    },
    ComplianceType: verdict.compliance,
    ResultRecordedTime: verdict.recordedAt,
    ConfigRuleInvokedTime: verdict.invokedAt,
    ...(annotation !== undefined && { Annotation: annotation }),
  }
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByConfigRule.html */
export const getComplianceDetailsByConfigRule = operation({
  name: 'GetComplianceDetailsByConfigRule',
  input: structure({
    ConfigRuleName: required(string({ min: 1, max: 128 })),
    ComplianceTypes: complianceTypeList,
    Limit: limit,
    NextToken: nextToken,
  }),
  output: structure({ EvaluationResults: list(evaluationResult), NextToken: nextToken }),
  effects: 'read',
  errors: ['invalid-next-token', 'invalid-parameter-value', 'no-such-config-rule'],
  resolve(call, { ConfigRuleName, ComplianceTypes, Limit, NextToken: token }, deps: ConfigDeps) {
    const scope = ['details', ConfigRuleName, ComplianceTypes ?? null]
    positionOf(token, scope)
    const rule = ruleNamed(call, ConfigRuleName, deps)
    return { rule, page: { token, scope, limit: boundedLimit(Limit) } }
  },
  checks: (call, _request, { rule }) => checkRule(call, 'GetComplianceDetailsByConfigRule', rule),
  audit: { request: (request) => shown(request, ['ConfigRuleName', 'ComplianceTypes', 'Limit']) },
  handle(_call, { ComplianceTypes }, { rule, page }, deps) {
    const verdicts = (deps.compliance.of(rule) ?? []).filter((verdict) =>
      isAsked(ComplianceTypes, verdict.compliance),
    )
    const { items, NextToken } = pageOf(verdicts, nameOf, page)
    return { output: { EvaluationResults: items.map(resultOf), NextToken } }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByResource.html */
export const getComplianceDetailsByResource = operation({
  name: 'GetComplianceDetailsByResource',
  input: structure({
    ResourceType: required(string({ min: 1, max: 256 })),
    ResourceId: required(string({ min: 1, max: 768 })),
    ComplianceTypes: complianceTypeList,
    NextToken: nextToken,
  }),
  output: structure({ EvaluationResults: list(evaluationResult), NextToken: nextToken }),
  effects: 'read',
  errors: ['invalid-next-token'],
  resolve(_call, request, _deps: ConfigDeps) {
    const { ResourceType, ResourceId, ComplianceTypes, NextToken: token } = request
    const scope = ['details', ResourceType, ResourceId, ComplianceTypes ?? null]
    positionOf(token, scope)
    return { token, scope, limit: 25 }
  },
  checks: (call) => check(call, 'GetComplianceDetailsByResource'),
  audit: {
    request: (request) => shown(request, ['ResourceType', 'ResourceId', 'ComplianceTypes']),
  },
  handle(call, { ResourceType, ResourceId, ComplianceTypes }, page, deps) {
    const verdicts = everyVerdict(call, deps).filter(
      ({ type, resourceId, compliance }) =>
        type === ResourceType && resourceId === ResourceId && isAsked(ComplianceTypes, compliance),
    )
    const { items, NextToken } = pageOf(verdicts, ({ rule }) => rule, page)
    return { output: { EvaluationResults: items.map(resultOf), NextToken } }
  },
})
