import { list, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { namePosition, userInList } from '../outputs.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

export const listUsers = operation({
  name: 'ListUsers',
  input: structure({ PathPrefix: shapes.pathPrefix, ...shapes.pageInput }),
  output: structure({ Users: list(shapes.user), ...shapes.pageOutput }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListUsers', '*')],
  audit: {
    request: (request) => ({
      pathPrefix: request.PathPrefix,
      marker: request.Marker,
      maxItems: request.MaxItems,
    }),
  },
  handle(call, request, _target, { identities }: IamDeps) {
    const { account } = call.caller
    const prefix = request.PathPrefix ?? '/'
    const users = identities.users.of(account).filter(({ path }) => path.startsWith(prefix))
    const { items, page } = readPage(
      request,
      ['ListUsers', account, prefix],
      users,
      ({ userName }) => namePosition(userName),
    )
    return { output: { Users: items.map(userInList), ...page } }
  },
})
