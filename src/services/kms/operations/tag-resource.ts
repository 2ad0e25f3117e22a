import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck, requestTagConditions } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'
import { checkTags, mergeTags } from '../tags.ts'

const rules = managed('kms:TagResource')

export const tagResource = operation({
  name: 'TagResource',
  input: structure({ KeyId: required(shapes.keyId), Tags: required(shapes.tags) }),
  output: undefined,
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state', 'limit-exceeded', 'tag'],
  resolve(call, request, deps: KmsDeps) {
    checkTags(request.Tags, deps.limits.tagsPerKey)
    return resolveKey(call, request.KeyId, rules, deps.state).key
  },
  checks: (call, request, key, deps) => [
    managementCheck(call, rules.permission, key, deps, requestTagConditions(request.Tags)),
  ],
  audit: {
    request: (request) => ({
      keyId: request.KeyId,
      tags: request.Tags.map(({ TagKey, TagValue }) => ({ tagKey: TagKey, tagValue: TagValue })),
    }),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, request, key, deps) {
    const { state, limits } = deps
    requireState(key, 'TagResource')
    const tags = mergeTags(key.tags, request.Tags, limits.tagsPerKey, arnOf(key))
    return { output: undefined, changes: [state.replaceKey(key, { ...key, tags })] }
  },
})
