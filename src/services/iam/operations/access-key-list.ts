import { list, string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { credentialOwner, ownerCheck, ownerResource, presentOwner } from '../credential-owner.ts'
import type { IamDeps } from '../deps.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'

export const listAccessKeys = operation({
  name: 'ListAccessKeys',
  input: structure({ UserName: shapes.existingUserName, ...shapes.pageInput }),
  output: structure({
    AccessKeyMetadata: list(
      structure({
        UserName: string(),
        AccessKeyId: string(),
        Status: shapes.accessKeyStatus,
        CreateDate: timestamp(),
      }),
    ),
    ...shapes.pageOutput,
  }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => credentialOwner(call, request.UserName, deps),
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:ListAccessKeys', owner)],
  audit: {
    request: (request) => ({
      userName: request.UserName,
      marker: request.Marker,
      maxItems: request.MaxItems,
    }),
    resources: ownerResource,
  },
  handle(call, request, owner, { identities }) {
    const user = presentOwner(owner)
    const { account } = call.caller
    const keys = identities.accessKeysOf(account, user?.userId)
    const scope = ['ListAccessKeys', user?.userId ?? account]
    const { items, page } = readPage(request, scope, keys, position)
    const AccessKeyMetadata = items.map(({ accessKeyId, status, createdAt }) => ({
      UserName: user?.userName,
      AccessKeyId: accessKeyId,
      Status: status,
      CreateDate: createdAt,
    }))
    return { output: { AccessKeyMetadata, ...page } }
  },
})

/** Keys are listed in the order in which they were made. */
function position({ createdAt, accessKeyId }: { createdAt: number; accessKeyId: string }): string {
  return `${String(createdAt).padStart(16, '0')} ${accessKeyId}`
}
