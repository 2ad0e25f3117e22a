import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, groupKind, presentEntity } from '../entities.ts'
import { groupOutput, namePosition, userInList } from '../outputs.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const input = structure({ GroupName: required(shapes.groupName), ...shapes.pageInput })

export const getGroup = operation({
  name: 'GetGroup',
  input,
  output: structure({ Group: shapes.group, Users: list(shapes.user), ...shapes.pageOutput }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(groupKind, call, request.GroupName, deps),
  checks: (call, _request, target) => [entityCheck(groupKind, call, 'iam:GetGroup', target)],
  audit: {
    request: (request) => recorded(input, request, 'GroupName', 'Marker', 'MaxItems'),
    resources: (target) => entityResource(groupKind, target),
  },
  handle(_call, request, target, { identities }) {
    const group = presentEntity(groupKind, target)
    const members = identities.users
      .of(group.account)
      .filter(({ groups }) => groups.includes(group.groupId))
    const scope = ['GetGroup', group.groupId]
    const { items, page } = readPage(request, scope, members, ({ userName }) =>
      namePosition(userName),
    )
    return { output: { Group: groupOutput(group), Users: items.map(userInList), ...page } }
  },
})
