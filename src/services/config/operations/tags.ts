import { list, required, string, structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { requestTagConditions, tagKeyConditions } from '../../tag-conditions.ts'
import { checkRule, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { unknownResource } from '../errors.ts'
import { limitOf, pageOf, positionOf } from '../paging.ts'
import { arn, limit, nextToken, tag } from '../shapes.ts'
import { type RuleRecord, ruleArn, ruleRow } from '../state.ts'
import { mergedTags, requireTags } from '../tags.ts'

/** Rules alone have tags here. Throws 'resource-not-found'. */
function ruleOf(call: CallContext, text: string, { config }: ConfigDeps): RuleRecord {
  const rule = config.rulesOf(whereOf(call)).find((each) => ruleArn(each) === text)
  if (rule === undefined) throw unknownResource(text)
  return rule
}

/** https://docs.aws.amazon.com/config/latest/APIReference/API_TagResource.html */
export const tagResource = operation({
  name: 'TagResource',
  input: structure({
    ResourceArn: required(arn),
    Tags: required(list(tag, { min: 1, max: 50 })),
  }),
  output: undefined,
  effects: 'write',
  errors: ['resource-not-found', 'too-many-tags', 'validation'],
  resolve(call, { ResourceArn, Tags }, deps: ConfigDeps) {
    requireTags(Tags)
    return ruleOf(call, ResourceArn, deps)
  },
  checks: (call, { Tags }, rule) =>
    checkRule(call, 'TagResource', rule, requestTagConditions(Tags)),
  audit: { request: (request) => shown(request, ['ResourceArn', 'Tags']) },
  handle: (_call, { Tags }, rule, { config }) => ({
    output: undefined,
    changes: [config.rules.put(ruleRow(rule), { ...rule, tags: mergedTags(rule.tags, Tags) })],
  }),
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_UntagResource.html */
export const untagResource = operation({
  name: 'UntagResource',
  input: structure({
    ResourceArn: required(arn),
    TagKeys: required(list(string({ min: 1, max: 128 }), { min: 1, max: 50 })),
  }),
  output: undefined,
  effects: 'write',
  errors: ['resource-not-found'],
  resolve: (call, { ResourceArn }, deps: ConfigDeps) => ruleOf(call, ResourceArn, deps),
  checks: (call, { TagKeys }, rule) =>
    checkRule(call, 'UntagResource', rule, tagKeyConditions(TagKeys)),
  audit: { request: (request) => shown(request, ['ResourceArn', 'TagKeys']) },
  handle(_call, { TagKeys }, rule, { config }) {
    const tags = rule.tags.filter(({ Key }) => !TagKeys.includes(Key))
    return { output: undefined, changes: [config.rules.put(ruleRow(rule), { ...rule, tags })] }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_ListTagsForResource.html */
export const listTagsForResource = operation({
  name: 'ListTagsForResource',
  input: structure({ ResourceArn: required(arn), Limit: limit, NextToken: nextToken }),
  output: structure({ Tags: list(tag), NextToken: nextToken }),
  effects: 'read',
  errors: ['invalid-limit', 'invalid-next-token', 'resource-not-found'],
  resolve(call, { ResourceArn, Limit, NextToken: token }, deps: ConfigDeps) {
    const scope = ['tags', ResourceArn]
    positionOf(token, scope)
    const limit = limitOf(Limit, 100, 100)
    return { rule: ruleOf(call, ResourceArn, deps), page: { token, scope, limit } }
  },
  checks: (call, _request, { rule }) => checkRule(call, 'ListTagsForResource', rule),
  audit: { request: (request) => shown(request, ['ResourceArn', 'Limit']) },
  handle(_call, _request, { rule, page }) {
    const sorted = [...rule.tags].sort((a, b) => (a.Key < b.Key ? -1 : 1))
    const { items, NextToken } = pageOf(sorted, ({ Key }) => Key, page)
    return { output: { Tags: items, NextToken } }
  },
})
