import type { Tag } from '../../identities/records.ts'
import { required, structure } from '../../wire/schema.ts'
import { type AnyOperation, type CallContext, operation } from '../operation.ts'
import { requestTagConditions, tagKeyConditions } from '../tag-conditions.ts'
import type { IamDeps } from './deps.ts'
import {
  type Entity,
  type EntityKind,
  entityCheck,
  entityResource,
  findEntity,
  namedStructure,
  nameIn,
  nameView,
  presentEntity,
} from './entities.ts'
import { readPage } from './paging.ts'
import * as shapes from './shapes.ts'
import { checkTags, mergeTags, tagPosition, tagsView, withoutTags } from './tags.ts'

type Tagged = Entity & { readonly tags: readonly Tag[] }

/** Tag, Untag and List…Tags of a user or a role. */
export function tagOperations<T extends Tagged>(kind: EntityKind<T>): readonly AnyOperation[] {
  return [tagEntity(kind), untagEntity(kind), listEntityTags(kind)]
}

function tagEntity<T extends Tagged>(kind: EntityKind<T>): AnyOperation {
  const name = `Tag${kind.what}`
  return operation({
    name,
    input: namedStructure(kind, { Tags: required(shapes.tags) }),
    output: undefined,
    effects: 'write',
    errors: ['invalid-input', 'limit-exceeded', 'no-such-entity'],
    resolve(call, request, deps: IamDeps) {
      checkTags(request.Tags)
      return find(kind, call, request, deps)
    },
    checks: (call, request, target) => [
      entityCheck(kind, call, `iam:${name}`, target, requestTagConditions(request.Tags)),
    ],
    audit: {
      request: (request) => ({ ...nameView(kind, request), tags: tagsView(request.Tags) }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target, { identities, limits }) {
      const record = presentEntity(kind, target)
      const tags = mergeTags(record.tags, request.Tags, limits.tags, `TagsPer${kind.what}`)
      const change = kind.records(identities).replace(record, { ...record, tags })
      return { output: undefined, changes: [change] }
    },
  })
}

function untagEntity<T extends Tagged>(kind: EntityKind<T>): AnyOperation {
  const name = `Untag${kind.what}`
  return operation({
    name,
    input: namedStructure(kind, { TagKeys: required(shapes.tagKeys) }),
    output: undefined,
    effects: 'write',
    errors: ['no-such-entity'],
    resolve: (call, request, deps: IamDeps) => find(kind, call, request, deps),
    checks: (call, request, target) => [
      entityCheck(kind, call, `iam:${name}`, target, tagKeyConditions(request.TagKeys)),
    ],
    audit: {
      request: (request) => ({ ...nameView(kind, request), tagKeys: request.TagKeys }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target, { identities }) {
      const record = presentEntity(kind, target)
      const tags = withoutTags(record.tags, request.TagKeys)
      if (tags.length === record.tags.length) return { output: undefined }
      const change = kind.records(identities).replace(record, { ...record, tags })
      return { output: undefined, changes: [change] }
    },
  })
}

function listEntityTags<T extends Tagged>(kind: EntityKind<T>): AnyOperation {
  const name = `List${kind.what}Tags`
  return operation({
    name,
    input: namedStructure(kind, shapes.pageInput),
    output: structure({ Tags: shapes.tags, ...shapes.pageOutput }),
    effects: 'read',
    errors: ['no-such-entity'],
    resolve: (call, request, deps: IamDeps) => find(kind, call, request, deps),
    checks: (call, _request, target) => [entityCheck(kind, call, `iam:${name}`, target)],
    audit: {
      request: (request) => ({
        ...nameView(kind, request),
        marker: request.Marker,
        maxItems: request.MaxItems,
      }),
      resources: (target) => entityResource(kind, target),
    },
    handle(_call, request, target) {
      const { tags } = presentEntity(kind, target)
      const { items, page } = readPage(request, [name, target.arn], tags, tagPosition)
      return { output: { Tags: items, ...page } }
    },
  })
}

function find<T extends Tagged>(
  kind: EntityKind<T>,
  call: CallContext,
  request: object,
  deps: IamDeps,
) {
  return findEntity(kind, call, nameIn(kind, request), deps)
}
