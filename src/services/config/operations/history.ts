import { ServiceError } from '../../../base/errors.ts'
import { list, oneOf, required, structure, timestamp, type Value } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { check, shown, whereOf } from '../checks.ts'
import type { ConfigDeps } from '../deps.ts'
import { notDiscovered } from '../errors.ts'
import { answeredBaseItem, answeredItem, wholeItem } from '../item.ts'
import { limitOf, positionOf, tokenOf } from '../paging.ts'
import {
  baseConfigurationItem,
  configurationItem,
  limit,
  nextToken,
  resourceId,
  resourceKey,
  resourceType,
} from '../shapes.ts'

const historyInput = structure({
  resourceType: required(resourceType),
  resourceId: required(resourceId),
  laterTime: timestamp(),
  earlierTime: timestamp(),
  chronologicalOrder: oneOf('Reverse', 'Forward'),
  limit,
  nextToken,
})

function pageAsked(request: Value<typeof historyInput>) {
  const { resourceType: type, resourceId: resource, chronologicalOrder = 'Reverse' } = request
  const { earlierTime: from = 0, laterTime: to = Number.MAX_SAFE_INTEGER } = request
  if (from > to) {
    throw new ServiceError(
      'invalid-time-range',
      'The earlier time must not be after the later time.',
    )
  }
  const limit = limitOf(request.limit, 100, 10)
  const scope = ['history', type, resource, from, to, chronologicalOrder]
  const position = positionOf(request.nextToken, scope)
  const after = position === undefined ? undefined : Number(position)
  const oldestFirst = chronologicalOrder === 'Forward'
  return { scope, query: { type, resource, from, to, oldestFirst, limit, after } }
}

/**
 * What a resource was like, item by item, however long ago; the newest first unless it is asked otherwise.
 * https://docs.aws.amazon.com/config/latest/APIReference/API_GetResourceConfigHistory.html
 */
export const getResourceConfigHistory = operation({
  name: 'GetResourceConfigHistory',
  input: historyInput,
  output: structure({ configurationItems: list(configurationItem), nextToken }),
  effects: 'read',
  errors: ['invalid-limit', 'invalid-next-token', 'invalid-time-range', 'resource-not-discovered'],
  resolve: (_call, request, _deps: ConfigDeps) => pageAsked(request),
  checks: (call) => check(call, 'GetResourceConfigHistory'),
  audit: {
    request: (request) =>
      shown(request, ['resourceType', 'resourceId', 'chronologicalOrder', 'limit']),
  },
  async handle(call, _request, { scope, query }, { history, archive }) {
    const { records, next } = await history.items({ ...whereOf(call), ...query })
    if (records.length === 0 && query.after === undefined) {
      const everything = { ...query, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1 }
      const known = await history.items({ ...whereOf(call), ...everything })
      if (known.records.length === 0) throw notDiscovered(query.type, query.resource)
    }
    const items = await Promise.all(records.map((record) => wholeItem(record, archive)))
    const token = next === undefined ? {} : { nextToken: tokenOf(String(next), scope) }
    return { output: { configurationItems: items.map(answeredItem), ...token } }
  },
})

/** https://docs.aws.amazon.com/config/latest/APIReference/API_BatchGetResourceConfig.html */
export const batchGetResourceConfig = operation({
  name: 'BatchGetResourceConfig',
  input: structure({ resourceKeys: required(list(resourceKey, { min: 1, max: 100 })) }),
  output: structure({
    baseConfigurationItems: list(baseConfigurationItem),
    unprocessedResourceKeys: list(resourceKey),
  }),
  effects: 'read',
  errors: [],
  resolve: (_call, _request, _deps: ConfigDeps) => undefined,
  checks: (call) => check(call, 'BatchGetResourceConfig'),
  audit: { request: (request) => shown(request, ['resourceKeys']) },
  async handle(call, { resourceKeys }, _target, { history, archive }) {
    const keys = resourceKeys.map(({ resourceType: type, resourceId: resource }) => ({
      ...{ ...whereOf(call), type, resource },
    }))
    const records = await history.newest(keys)
    const found = records.filter((record) => record !== undefined)
    const items = await Promise.all(found.map((record) => wholeItem(record, archive)))
    return {
      output: {
        baseConfigurationItems: items.map(answeredBaseItem),
        // What is not known is left out, as in AWS; nothing is left for another call.
        unprocessedResourceKeys: [],
      },
    }
  },
})
