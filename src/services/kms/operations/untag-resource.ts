import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck, tagKeyConditions } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import * as shapes from '../shapes.ts'
import { checkTagKeys, withoutTags } from '../tags.ts'

const rules = managed('kms:UntagResource')

/** Removing a tag that is not there succeeds and changes nothing. */
export const untagResource = operation({
  name: 'UntagResource',
  input: structure({ KeyId: required(shapes.keyId), TagKeys: required(shapes.tagKeys) }),
  output: undefined,
  effects: 'write',
  errors: ['not-found', 'invalid-arn', 'invalid-state', 'tag'],
  resolve(call, request, deps: KmsDeps) {
    checkTagKeys(request.TagKeys)
    return resolveKey(call, request.KeyId, rules, deps.state).key
  },
  checks: (call, request, key, deps) => [
    managementCheck(call, rules.permission, key, deps, tagKeyConditions(request.TagKeys)),
  ],
  audit: {
    request: (request) => ({ keyId: request.KeyId, tagKeys: request.TagKeys }),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, request, key, deps) {
    requireState(key, 'UntagResource')
    const tags = withoutTags(key.tags, request.TagKeys)
    if (tags.length === key.tags.length) return { output: undefined, changes: [] }
    return { output: undefined, changes: [deps.state.replaceKey(key, { ...key, tags })] }
  },
})
