import { type GroupRecord, groupArn } from '../../../identities/records.ts'
import { newUniqueId } from '../../../identities/unique-id.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { auditResource, groupKind } from '../entities.ts'
import { alreadyExists, quotaExceeded } from '../errors.ts'
import { groupOutput } from '../outputs.ts'
import * as shapes from '../shapes.ts'

const input = structure({ Path: shapes.path, GroupName: required(shapes.groupName) })
const output = structure({ Group: shapes.group })

export const createGroup = operation({
  name: 'CreateGroup',
  input,
  output,
  effects: 'write',
  errors: ['entity-exists', 'limit-exceeded'],
  /** The group to be. */
  resolve: (call, request, { random }: IamDeps): GroupRecord => ({
    account: call.caller.account,
    groupId: newUniqueId('AGPA', random),
    groupName: request.GroupName,
    path: request.Path ?? '/',
    createdAt: call.now,
    inline: {},
    attached: [],
  }),
  checks: (call, _request, group) => [iamCheck(call, 'iam:CreateGroup', groupArn(group))],
  audit: {
    request: (request) => recorded(input, request, 'Path', 'GroupName'),
    response: (answer) => recorded(output, answer, 'Group'),
    resources: (group, _request, answer) =>
      answer === undefined ? [] : [auditResource(groupKind, group)],
  },
  handle(_call, _request, group, { identities: { groups }, limits }) {
    if (groups.get(group.account, group.groupName) !== undefined) {
      throw alreadyExists('Group', group.groupName)
    }
    if (groups.count(group.account) >= limits.groups) {
      throw quotaExceeded('GroupsPerAccount', limits.groups)
    }
    return { output: { Group: groupOutput(group) }, changes: [groups.add(group)] }
  },
})
