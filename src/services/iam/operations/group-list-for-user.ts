import { list, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, userKind } from '../entities.ts'
import { groupOutput, namePosition } from '../outputs.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const input = structure({ UserName: required(shapes.existingUserName), ...shapes.pageInput })

export const listGroupsForUser = operation({
  name: 'ListGroupsForUser',
  input,
  output: structure({ Groups: list(shapes.group), ...shapes.pageOutput }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(userKind, call, request.UserName, deps),
  checks: (call, _request, target) => [
    entityCheck(userKind, call, 'iam:ListGroupsForUser', target),
  ],
  audit: {
    request: (request) => recorded(input, request, 'UserName', 'Marker', 'MaxItems'),
    resources: (target) => entityResource(userKind, target),
  },
  handle(_call, request, target, { identities }) {
    const user = presentEntity(userKind, target)
    const groups = user.groups
      .map((id) => identities.groups.byId(id))
      .filter((group) => group !== undefined)
      .sort((a, b) => (namePosition(a.groupName) < namePosition(b.groupName) ? -1 : 1))
    const scope = ['ListGroupsForUser', user.userId]
    const { items, page } = readPage(request, scope, groups, ({ groupName }) =>
      namePosition(groupName),
    )
    return { output: { Groups: items.map(groupOutput), ...page } }
  },
})
