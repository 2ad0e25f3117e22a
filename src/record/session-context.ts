import type { Caller } from '../base/caller.ts'
import type { JsonObject } from '../services/operation.ts'

/**
 * userIdentity.sessionContext: whose credentials a session's are, and since when. Undefined for long-term ones.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 */
export function sessionContextOf(caller: Caller): JsonObject | undefined {
  const { session } = caller
  if (session === undefined) return undefined
  const { issuedAt, sourceIdentity, webIdentity } = session
  const creationDate = new Date(issuedAt).toISOString().replace('.000', '')
  return {
    ...(caller.roleArn === undefined ? {} : { sessionIssuer: issuerOf(caller, caller.roleArn) }),
    ...(webIdentity === undefined
      ? {}
      : { webIdFederationData: { federatedProvider: webIdentity.provider, attributes: {} } }),
    attributes: { creationDate, mfaAuthenticated: 'false' },
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  }
}

function issuerOf({ roleId, account }: Caller, roleArn: string): JsonObject {
  const userName = roleArn.slice(roleArn.lastIndexOf('/') + 1)
  return { type: 'Role', principalId: roleId, arn: roleArn, accountId: account, userName }
}
