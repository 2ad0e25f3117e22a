import { structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { credentialOwner, ownerCheck, ownerResource, presentOwner } from '../credential-owner.ts'
import type { IamDeps } from '../deps.ts'
import { userOutput } from '../outputs.ts'
import * as shapes from '../shapes.ts'

export const getUser = operation({
  name: 'GetUser',
  input: structure({ UserName: shapes.existingUserName }),
  output: structure({ User: shapes.user }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => credentialOwner(call, request.UserName, deps),
  checks: (call, _request, owner) => [ownerCheck(call, 'iam:GetUser', owner)],
  audit: {
    request: (request) => ({ userName: request.UserName }),
    resources: ownerResource,
  },
  handle(call, _request, owner, { identities, accountCreatedAt }) {
    const user = presentOwner(owner)
    if (user !== undefined) return { output: { User: userOutput(user) } }
    // The root user has no path, and goes by the alias of its account.
    const { account } = call.caller
    return {
      output: {
        User: {
          UserName: identities.aliasOf(account),
          UserId: account,
          Arn: owner.arn,
          CreateDate: accountCreatedAt(account),
        },
      },
    }
  },
})
