import { list, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { groupOutput, namePosition } from '../outputs.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const input = structure({ PathPrefix: shapes.pathPrefix, ...shapes.pageInput })

export const listGroups = operation({
  name: 'ListGroups',
  input,
  output: structure({ Groups: list(shapes.group), ...shapes.pageOutput }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListGroups', '*')],
  audit: { request: (request) => recorded(input, request, 'PathPrefix', 'Marker', 'MaxItems') },
  handle(call, request, _target, { identities }: IamDeps) {
    const { account } = call.caller
    const prefix = request.PathPrefix ?? '/'
    const groups = identities.groups.of(account).filter(({ path }) => path.startsWith(prefix))
    const scope = ['ListGroups', account, prefix]
    const { items, page } = readPage(request, scope, groups, ({ groupName }) =>
      namePosition(groupName),
    )
    return { output: { Groups: items.map(groupOutput), ...page } }
  },
})
