import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { presentAccessKey } from '../access-keys.ts'
import { credentialOwner, ownerCheck, ownerResource } from '../credential-owner.ts'
import type { IamDeps } from '../deps.ts'
import * as shapes from '../shapes.ts'

export const deleteAccessKey = operation({
  name: 'DeleteAccessKey',
  input: structure({
    UserName: shapes.existingUserName,
    AccessKeyId: required(shapes.accessKeyId),
  }),
  output: undefined,
  effects: 'write',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => credentialOwner(call, request.UserName, deps),
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:DeleteAccessKey', owner)],
  audit: {
    request: (request) => ({ userName: request.UserName, accessKeyId: request.AccessKeyId }),
    resources: ownerResource,
  },
  handle(call, request, owner, { identities }) {
    const key = presentAccessKey(call, owner, request.AccessKeyId, identities)
    return { output: undefined, changes: [identities.removeAccessKey(key)] }
  },
})
