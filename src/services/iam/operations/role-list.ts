import { list, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { namePosition } from '../outputs.ts'
import { readPage } from '../paging.ts'
import { roleInList } from '../role.ts'
import * as shapes from '../shapes.ts'

const input = structure({ PathPrefix: shapes.pathPrefix, ...shapes.pageInput })

export const listRoles = operation({
  name: 'ListRoles',
  input,
  output: structure({ Roles: list(shapes.role), ...shapes.pageOutput }),
  effects: 'read',
  errors: [],
  resolve: (_call, _request, _deps: IamDeps) => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListRoles', '*')],
  audit: {
    request: (request) => recorded(input, request, 'PathPrefix', 'Marker', 'MaxItems'),
  },
  handle({ caller: { account } }, request, _target, deps) {
    const prefix = request.PathPrefix ?? '/'
    const roles = deps.identities.roles.of(account).filter(({ path }) => path.startsWith(prefix))
    const scope = ['ListRoles', account, prefix]
    const { items, page } = readPage(request, scope, roles, ({ roleName }) =>
      namePosition(roleName),
    )
    return { output: { Roles: items.map((role) => roleInList(role, deps)), ...page } }
  },
})
