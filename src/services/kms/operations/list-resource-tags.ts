import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { keyResource } from '../audit.ts'
import { managementCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { arnOf } from '../key.ts'
import { managed, resolveKey } from '../key-identifier.ts'
import { requireState } from '../key-state.ts'
import { afterIn, readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'
import type { Tag } from '../tags.ts'

const rules = managed('kms:ListResourceTags')

export const listResourceTags = operation({
  name: 'ListResourceTags',
  input: structure({
    KeyId: required(shapes.keyId),
    Limit: shapes.limit,
    Marker: shapes.marker,
  }),
  output: structure({ Tags: shapes.tags, ...shapes.paged }),
  effects: 'read',
  errors: ['not-found', 'invalid-arn', 'invalid-marker'],
  resolve: (call, request, deps: KmsDeps) => resolveKey(call, request.KeyId, rules, deps.state).key,
  checks: (call, _request, key, deps) => [managementCheck(call, rules.permission, key, deps)],
  audit: {
    request: (request) => ({ keyId: request.KeyId, limit: request.Limit, marker: request.Marker }),
    resources: (key) => [keyResource(key)],
  },
  handle(_call, request, key) {
    requireState(key, 'ListResourceTags')
    const positionOf = (tag: Tag) => tag.TagKey
    const page = readPage(request, {
      scope: ['ListResourceTags', arnOf(key)],
      defaultLimit: 50,
      after: afterIn(key.tags, positionOf),
      positionOf,
    })
    return { output: { Tags: page.items, ...page.truncated } }
  },
})
