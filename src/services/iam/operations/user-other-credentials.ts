import { boolean, list, oneOf, string, structure, timestamp } from '../../../wire/schema.ts'
import { type AnyOperation, operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import {
  type CredentialOwner,
  credentialOwner,
  ownerCheck,
  ownerResource,
  presentOwner,
} from '../credential-owner.ts'
import type { IamDeps } from '../deps.ts'
import { noSuchEntity } from '../errors.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

/**
 * Credentials other than access keys, of which nobody has any: passwords, MFA devices, certificates, keys of other
 * services. Tools ask for them before they delete a user.
 */
const listInput = structure({ UserName: shapes.existingUserName, ...shapes.pageInput })

/** `List…` of credentials of one user, under the member that AWS puts them in. */
function listOfNone(name: string, member: string): AnyOperation {
  return operation({
    name,
    input: listInput,
    output: structure({ [member]: list(string()), ...shapes.pageOutput }),
    effects: 'read',
    errors: ['no-such-entity'],
    resolve: (call, request, deps: IamDeps) => credentialOwner(call, request.UserName, deps),
    checks: (call, _request, owner) => [ownerCheck(call, `iam:${name}`, owner)],
    audit: {
      request: (request) => recorded(listInput, request, 'UserName', 'Marker', 'MaxItems'),
      resources: (owner) => ownerResource(owner),
    },
    handle(_call, request, owner) {
      presentOwner(owner)
      const { page } = readPage(request, [name, owner.arn], [], () => '')
      return { output: { [member]: [], ...page } }
    },
  })
}

const loginInput = structure({ UserName: shapes.entityName })
const loginParts = {
  input: loginInput,
  errors: ['no-such-entity'] as const,
  resolve: (
    call: Parameters<typeof credentialOwner>[0],
    request: { UserName?: string | undefined },
    deps: IamDeps,
  ) => credentialOwner(call, request.UserName, deps),
}

const getLoginProfile = operation({
  ...loginParts,
  name: 'GetLoginProfile',
  output: structure({
    LoginProfile: structure({
      UserName: string(),
      CreateDate: timestamp(),
      PasswordResetRequired: boolean(),
    }),
  }),
  effects: 'read',
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:GetLoginProfile', owner)],
  audit: {
    request: (request) => recorded(loginInput, request, 'UserName'),
    resources: ownerResource,
  },
  handle: (_call, _request, owner) => {
    throw noLoginProfile(owner)
  },
})

const deleteLoginProfile = operation({
  ...loginParts,
  name: 'DeleteLoginProfile',
  output: undefined,
  effects: 'write',
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:DeleteLoginProfile', owner)],
  audit: {
    request: (request) => recorded(loginInput, request, 'UserName'),
    resources: ownerResource,
  },
  handle: (_call, _request, owner) => {
    throw noLoginProfile(owner)
  },
})

function noLoginProfile(owner: CredentialOwner) {
  const name = presentOwner(owner)?.userName ?? 'root'
  return noSuchEntity(`Login Profile for User ${name} cannot be found.`)
}

const devicesInput = structure({
  AssignmentStatus: oneOf('Assigned', 'Unassigned', 'Any'),
  ...shapes.pageInput,
})

const listVirtualMFADevices = operation({
  name: 'ListVirtualMFADevices',
  input: devicesInput,
  output: structure({ VirtualMFADevices: list(string()), ...shapes.pageOutput }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListVirtualMFADevices', '*')],
  audit: {
    request: (request) => recorded(devicesInput, request, 'AssignmentStatus', 'Marker', 'MaxItems'),
  },
  handle(call, request) {
    const scope = ['ListVirtualMFADevices', call.caller.account]
    const { page } = readPage(request, scope, [], () => '')
    return { output: { VirtualMFADevices: [], ...page } }
  },
})

export const otherCredentialOperations: readonly AnyOperation[] = [
  listOfNone('ListMFADevices', 'MFADevices'),
  listOfNone('ListSSHPublicKeys', 'SSHPublicKeys'),
  listOfNone('ListServiceSpecificCredentials', 'ServiceSpecificCredentials'),
  listOfNone('ListSigningCertificates', 'Certificates'),
  listVirtualMFADevices,
  getLoginProfile,
  deleteLoginProfile,
]
