import { userArn } from '../../../identities/records.ts'
import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, userKind } from '../entities.ts'
import { alreadyExists } from '../errors.ts'
import * as shapes from '../shapes.ts'

export const updateUser = operation({
  name: 'UpdateUser',
  input: structure({
    UserName: required(shapes.existingUserName),
    NewPath: shapes.path,
    NewUserName: shapes.entityName,
  }),
  output: undefined,
  effects: 'write',
  errors: ['entity-exists', 'no-such-entity'],
  resolve(call, request, deps: IamDeps) {
    const named = findEntity(userKind, call, request.UserName, deps)
    if (named.record === undefined) return { named, renamed: undefined }
    const { path, userName } = named.record
    return {
      named,
      renamed: {
        ...named.record,
        path: request.NewPath ?? path,
        userName: request.NewUserName ?? userName,
      },
    }
  },
  /** On the user as it is and as it will be: nobody may move a user out of, or into, where they have no say. */
  checks(call, _request, { named, renamed }) {
    const before = entityCheck(userKind, call, 'iam:UpdateUser', named)
    const arn = renamed === undefined ? named.arn : userArn(renamed)
    if (arn === named.arn) return [before]
    return [before, entityCheck(userKind, call, 'iam:UpdateUser', { ...named, arn })]
  },
  audit: {
    request: (request) => ({
      userName: request.UserName,
      newPath: request.NewPath,
      newUserName: request.NewUserName,
    }),
    resources: ({ named }) => entityResource(userKind, named),
  },
  handle(_call, _request, { named, renamed }, { identities: { users } }) {
    const record = presentEntity(userKind, named)
    if (renamed === undefined || userArn(renamed) === userArn(record)) return { output: undefined }
    const namesake = users.get(record.account, renamed.userName)
    if (namesake !== undefined && namesake !== record) {
      throw alreadyExists('User', renamed.userName)
    }
    return { output: undefined, changes: users.rename(record, renamed) }
  },
})
