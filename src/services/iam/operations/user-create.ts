import { type UserRecord, userArn } from '../../../identities/records.ts'
import { newUniqueId } from '../../../identities/unique-id.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { touchPolicy } from '../attached-policies.ts'
import { recorded } from '../audit.ts'
import { boundaryPolicy } from '../boundaries.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { auditResource, userKind } from '../entities.ts'
import { alreadyExists, quotaExceeded } from '../errors.ts'
import { userOutput } from '../outputs.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortedTags } from '../tags.ts'

const input = structure({
  Path: shapes.path,
  UserName: required(shapes.entityName),
  PermissionsBoundary: shapes.arn,
  Tags: shapes.tags,
})
const output = structure({ User: shapes.user })

export const createUser = operation({
  name: 'CreateUser',
  input,
  output,
  effects: 'write',
  errors: ['entity-exists', 'invalid-input', 'limit-exceeded', 'no-such-entity'],
  /** The user to be. */
  resolve(call, request, { random }: IamDeps): UserRecord {
    const tags = request.Tags ?? []
    checkTags(tags)
    return {
      account: call.caller.account,
      userId: newUniqueId('AIDA', random),
      userName: request.UserName,
      path: request.Path ?? '/',
      createdAt: call.now,
      tags: sortedTags(tags),
      groups: [],
      inline: {},
      attached: [],
      boundary: request.PermissionsBoundary,
    }
  },
  checks(call, request, user) {
    const arn = userArn(user)
    const tagged = requestTagConditions(request.Tags)
    const boundary = request.PermissionsBoundary
    const bounded = boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }
    const create = iamCheck(call, 'iam:CreateUser', arn, { ...tagged, ...bounded })
    return user.tags.length === 0 ? [create] : [create, iamCheck(call, 'iam:TagUser', arn, tagged)]
  },
  audit: {
    request: (request) =>
      recorded(input, request, 'Path', 'UserName', 'PermissionsBoundary', 'Tags'),
    response: (answer) => recorded(output, answer, 'User'),
    resources: (user, _request, answer) =>
      answer === undefined ? [] : [auditResource(userKind, user)],
  },
  handle(call, request, user, { identities, limits }) {
    const { users } = identities
    if (users.get(user.account, user.userName) !== undefined) {
      throw alreadyExists('User', user.userName)
    }
    if (users.count(user.account) >= limits.users) {
      throw quotaExceeded('UsersPerAccount', limits.users)
    }
    const boundary = request.PermissionsBoundary
    const policy = boundary === undefined ? undefined : boundaryPolicy(call, boundary, identities)
    const touched = policy === undefined ? [] : touchPolicy(policy, identities)
    return { output: { User: userOutput(user) }, changes: [users.add(user), ...touched] }
  },
})
