import { type KeyId, keyArn } from '../../../base/ids.ts'
import { list, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { accountCheck } from '../conditions.ts'
import type { KmsDeps } from '../deps.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

export const listKeys = operation({
  name: 'ListKeys',
  input: structure({ Limit: shapes.limit, Marker: shapes.marker }),
  output: structure({
    Keys: list(structure({ KeyId: shapes.keyId, KeyArn: shapes.arn })),
    ...shapes.paged,
  }),
  effects: 'read',
  errors: ['invalid-marker'],
  resolve: (_call, _request, _deps: KmsDeps) => undefined,
  checks: (call) => [accountCheck(call, 'kms:ListKeys')],
  audit: { request: (request) => ({ limit: request.Limit, marker: request.Marker }) },
  handle(call, request, _target, { state }) {
    const { region, caller } = call
    const ids = state.keyIds(region, caller.account)
    const page = readPage(request, {
      scope: ['ListKeys', region, caller.account],
      defaultLimit: 100,
      after: (position, count) => ids.after(position, count),
      positionOf: (id) => id,
    })
    const Keys = page.items.map((id) => ({
      KeyId: id,
      KeyArn: keyArn(region, caller.account, id as KeyId),
    }))
    return { output: { Keys, ...page.truncated } }
  },
})
