import type { GroupRecord, RoleRecord, UserRecord } from '../../../identities/records.ts'
import { list, required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { findPolicy, policyCheck, policyResource, requirePolicy } from '../managed-policy.ts'
import { readPage } from '../paging.ts'
import * as policyShapes from '../policy-shapes.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  PolicyArn: required(shapes.arn),
  EntityFilter: policyShapes.entityType,
  PathPrefix: shapes.path,
  PolicyUsageFilter: policyShapes.usageFilter,
  ...shapes.pageInput,
})

type Entity = {
  readonly kind: 'Group' | 'Role' | 'User'
  readonly name: string
  readonly id: string
  readonly path: string
  readonly attached: readonly string[]
  readonly boundary: string | undefined
}

export const listEntitiesForPolicy = operation({
  name: 'ListEntitiesForPolicy',
  input,
  output: structure({
    PolicyGroups: list(structure({ GroupName: string(), GroupId: string() })),
    PolicyUsers: list(structure({ UserName: string(), UserId: string() })),
    PolicyRoles: list(structure({ RoleName: string(), RoleId: string() })),
    ...shapes.pageOutput,
  }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyCheck(call, 'iam:ListEntitiesForPolicy', target)],
  audit: {
    request: (request) =>
      recorded(
        input,
        request,
        ...(['PolicyArn', 'EntityFilter', 'PathPrefix', 'PolicyUsageFilter'] as const),
        ...(['Marker', 'MaxItems'] as const),
      ),
    resources: policyResource,
  },
  handle({ caller: { account } }, request, target, { identities }) {
    requirePolicy(target)
    const { arn } = target
    const { EntityFilter, PathPrefix = '/', PolicyUsageFilter } = request
    const uses = ({ attached, boundary }: Entity) =>
      (PolicyUsageFilter !== 'PermissionsBoundary' && attached.includes(arn)) ||
      (PolicyUsageFilter !== 'PermissionsPolicy' && boundary === arn)
    const entities = [
      ...identities.groups.of(account).map(groupEntity),
      ...identities.roles.of(account).map(roleEntity),
      ...identities.users.of(account).map(userEntity),
    ].filter(
      (entity) =>
        (EntityFilter === undefined || entity.kind === EntityFilter) &&
        entity.path.startsWith(PathPrefix) &&
        uses(entity),
    )
    const scope = [account, arn, EntityFilter ?? '', PathPrefix, PolicyUsageFilter ?? '']
    const position = ({ kind, name }: Entity) => `${kind}/${name.toLowerCase()}`
    const named = ['ListEntitiesForPolicy', ...scope]
    const { items, page } = readPage(request, named, entities, position)
    const of = (kind: Entity['kind']) => items.filter((entity) => entity.kind === kind)
    return {
      output: {
        PolicyGroups: of('Group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
        PolicyUsers: of('User').map(({ name, id }) => ({ UserName: name, UserId: id })),
        PolicyRoles: of('Role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
        ...page,
      },
    }
  },
})

function groupEntity({ groupName, groupId, path, attached }: GroupRecord): Entity {
  return { kind: 'Group', name: groupName, id: groupId, path, attached, boundary: undefined }
}

function roleEntity({ roleName, roleId, path, attached, boundary }: RoleRecord): Entity {
  return { kind: 'Role', name: roleName, id: roleId, path, attached, boundary }
}

function userEntity({ userName, userId, path, attached, boundary }: UserRecord): Entity {
  return { kind: 'User', name: userName, id: userId, path, attached, boundary }
}
