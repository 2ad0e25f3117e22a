import { list, required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, roleKind } from '../entities.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

const input = structure({ RoleName: required(shapes.entityName), ...shapes.pageInput })

/** No role has any: there are no instances. Tools ask before they delete a role. */
export const listInstanceProfilesForRole = operation({
  name: 'ListInstanceProfilesForRole',
  input,
  output: structure({
    InstanceProfiles: list(structure({ InstanceProfileName: string(), Arn: string() })),
    ...shapes.pageOutput,
  }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(roleKind, call, request.RoleName, deps),
  checks: (call, _request, target) => [
    entityCheck(roleKind, call, 'iam:ListInstanceProfilesForRole', target),
  ],
  audit: {
    request: (request) => recorded(input, request, 'RoleName', 'Marker', 'MaxItems'),
    resources: (target) => entityResource(roleKind, target),
  },
  handle(_call, request, target) {
    presentEntity(roleKind, target)
    const none: readonly never[] = []
    const scope = ['ListInstanceProfilesForRole', target.arn]
    const { items, page } = readPage(request, scope, none, String)
    return { output: { InstanceProfiles: items, ...page } }
  },
})
