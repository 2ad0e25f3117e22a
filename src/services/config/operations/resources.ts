import {
  boolean,
  integer,
  list,
  required,
  string,
  structure,
  timestamp,
} from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { check, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { validation } from '../errors.ts'
import { limitOf, pageOf, positionOf, tokenOf } from '../paging.ts'
import { limit, nextToken, resourceId, resourceType } from '../shapes.ts'

/**
 * The resources of one type, by their ids.
 * https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html
 */
export const listDiscoveredResources = operation({
  name: 'ListDiscoveredResources',
  input: structure({
    resourceType: required(resourceType),
    resourceIds: list(resourceId, { max: 20 }),
    resourceName: string({ max: 768 }),
    limit,
    includeDeletedResources: boolean(),
    nextToken,
  }),
  output: structure({
    resourceIdentifiers: list(
      structure({
        resourceType: string(),
        resourceId: string(),
        resourceName: string(),
        resourceDeletionTime: timestamp(),
      }),
    ),
    nextToken,
  }),
  effects: 'read',
  errors: ['invalid-limit', 'invalid-next-token'],
  resolve(_call, request, _deps: ConfigDeps) {
    const { resourceIds, resourceName, resourceType: type } = request
    if (resourceIds !== undefined && resourceName !== undefined) {
      throw validation('You can specify either resource IDs or a resource name, but not both.')
    }
    const deleted = request.includeDeletedResources === true
    const scope = ['resources', type, resourceIds ?? null, resourceName ?? null, deleted]
    const resource = positionOf(request.nextToken, scope)
    const after = resource === undefined ? undefined : { type, resource }
    return { scope, type, deleted, after, limit: limitOf(request.limit, 100, 100) }
  },
  checks: (call) => check(call, 'ListDiscoveredResources'),
  audit: {
    request: (request) =>
      shown(request, [
        ...(['resourceType', 'resourceIds', 'resourceName', 'limit'] as const),
        'includeDeletedResources',
      ]),
  },
  async handle(call, { resourceIds, resourceName }, { scope, limit, ...listing }, { history }) {
    const chosen: Awaited<ReturnType<typeof history.resources>>[number][] = []
    let { after } = listing
    let more = true
    // One too many tells whether there is a next page.
    while (more && chosen.length <= limit) {
      const rows = await history.resources({ ...whereOf(call), ...listing, after, limit: 1000 })
      chosen.push(
        ...rows.filter(
          ({ resource, name }) =>
            (resourceIds === undefined || resourceIds.includes(resource)) &&
            (resourceName === undefined || name === resourceName),
        ),
      )
      after = rows.at(-1)
      more = rows.length === 1000
    }
    const page = chosen.slice(0, limit)
    const last = page.at(-1)
    const isMore = chosen.length > limit && last !== undefined
    return {
      output: {
        resourceIdentifiers: page.map(({ type, resource, name, deleted, time }) => ({
          ...{ resourceType: type, resourceId: resource, resourceName: name },
          ...(deleted === 1 && { resourceDeletionTime: time }),
        })),
        ...(isMore && { nextToken: tokenOf(last.resource, scope) }),
      },
    }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html */
export const getDiscoveredResourceCounts = operation({
  name: 'GetDiscoveredResourceCounts',
  input: structure({
    resourceTypes: list(string({ min: 1, max: 256 }), { max: 20 }),
    limit,
    nextToken,
  }),
  output: structure({
    totalDiscoveredResources: integer(),
    resourceCounts: list(structure({ resourceType: string(), count: integer() })),
    nextToken,
  }),
  effects: 'read',
  errors: ['invalid-limit', 'invalid-next-token'],
  resolve(_call, { resourceTypes, limit, nextToken: token }, _deps: ConfigDeps) {
    const scope = ['counts', resourceTypes ?? null]
    positionOf(token, scope)
    return { token, scope, limit: limitOf(limit, 100, 100) }
  },
  checks: (call) => check(call, 'GetDiscoveredResourceCounts'),
  audit: { request: (request) => shown(request, ['resourceTypes', 'limit']) },
  async handle(call, { resourceTypes = [] }, page, { history }) {
    const { account, region } = whereOf(call)
    const counts = [...(await history.counts(account, region))].filter(
      ({ type }) => resourceTypes.length === 0 || resourceTypes.includes(type),
    )
    const total = counts.reduce((sum, { count }) => sum + count, 0)
    const sorted = counts.sort((a, b) => (a.type < b.type ? -1 : 1))
    const { items, NextToken } = pageOf(sorted, ({ type }) => type, page)
    return {
      output: {
        totalDiscoveredResources: total,
        resourceCounts: items.map(({ type, count }) => ({ resourceType: type, count })),
        ...(NextToken !== undefined && { nextToken: NextToken }),
      },
    }
  },
})
