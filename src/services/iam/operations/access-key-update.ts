import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { presentAccessKey } from '../access-keys.ts'
import { credentialOwner, ownerCheck, ownerResource } from '../credential-owner.ts'
import type { IamDeps } from '../deps.ts'
import { invalidInput } from '../errors.ts'
import * as shapes from '../shapes.ts'

export const updateAccessKey = operation({
  name: 'UpdateAccessKey',
  input: structure({
    UserName: shapes.existingUserName,
    AccessKeyId: required(shapes.accessKeyId),
    Status: required(shapes.accessKeyStatus),
  }),
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => credentialOwner(call, request.UserName, deps),
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:UpdateAccessKey', owner)],
  audit: {
    request: (request) => ({
      userName: request.UserName,
      accessKeyId: request.AccessKeyId,
      status: request.Status,
    }),
    resources: ownerResource,
  },
  handle(call, request, owner, { identities }) {
    const key = presentAccessKey(call, owner, request.AccessKeyId, identities)
    const status = request.Status
    // The service model knows a third status; it is nothing that a key can be given.
    if (status === 'Expired') throw invalidInput('The status of an access key cannot be Expired.')
    if (key.status === status) return { output: undefined }
    return { output: undefined, changes: [identities.replaceAccessKey(key, { ...key, status })] }
  },
})
