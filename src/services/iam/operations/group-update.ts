import { groupArn } from '../../../identities/records.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, groupKind, presentEntity } from '../entities.ts'
import { alreadyExists } from '../errors.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  GroupName: required(shapes.groupName),
  NewPath: shapes.path,
  NewGroupName: shapes.groupName,
})

export const updateGroup = operation({
  name: 'UpdateGroup',
  input,
  output: undefined,
  effects: 'write',
  errors: ['entity-exists', 'no-such-entity'],
  resolve(call, request, deps: IamDeps) {
    const named = findEntity(groupKind, call, request.GroupName, deps)
    if (named.record === undefined) return { named, renamed: undefined }
    const { path, groupName } = named.record
    return {
      named,
      renamed: {
        ...named.record,
        path: request.NewPath ?? path,
        groupName: request.NewGroupName ?? groupName,
      },
    }
  },
  /** On the group as it is and as it will be, as for users. */
  checks(call, _request, { named, renamed }) {
    const before = entityCheck(groupKind, call, 'iam:UpdateGroup', named)
    const arn = renamed === undefined ? named.arn : groupArn(renamed)
    if (arn === named.arn) return [before]
    return [before, entityCheck(groupKind, call, 'iam:UpdateGroup', { ...named, arn })]
  },
  audit: {
    request: (request) => recorded(input, request, 'GroupName', 'NewPath', 'NewGroupName'),
    resources: ({ named }) => entityResource(groupKind, named),
  },
  handle(_call, _request, { named, renamed }, { identities: { groups } }) {
    const record = presentEntity(groupKind, named)
    if (renamed === undefined || groupArn(renamed) === groupArn(record)) {
      return { output: undefined }
    }
    const namesake = groups.get(record.account, renamed.groupName)
    if (namesake !== undefined && namesake !== record) {
      throw alreadyExists('Group', renamed.groupName)
    }
    return { output: undefined, changes: groups.rename(record, renamed) }
  },
})
