import { type AccountId, parseAccountId } from '../../base/ids.ts'
import type { Identities } from '../../identities/identities.ts'
import { type RoleRecord, roleArn } from '../../identities/records.ts'
import type { ConditionValues, Resource } from '../operation.ts'
import { entityTagConditions } from '../tag-conditions.ts'
import { validation } from './errors.ts'

/** What a caller asks to be: a role, if there is one of that ARN. */
export type AskedRole = {
  readonly arn: string
  readonly account: AccountId
  readonly role: RoleRecord | undefined
}

/** The characters and lengths that paths and names of roles have. */
const roleForm = /^arn:aws:iam::(\d{12}):role(\/(?:[\x21-\x7e]+\/)?)([\w+=,.@-]{1,64})$/
const pathMax = 512

/** Throws 'validation' for an ARN that can be no role's. Whether there is the role is told by nothing but a session. */
export function askedRole(identities: Identities, arn: string): AskedRole {
  const [, digits = '', path = '', name = ''] = roleForm.exec(arn) ?? []
  const account = parseAccountId(digits)
  if (account === undefined || path.length > pathMax) throw validation('Request ARN is invalid')
  const role = identities.roles.get(account, name)
  const found = role !== undefined && roleArn(role) === arn ? role : undefined
  return { arn, account, role: found }
}

/** A role that is not there refuses as one that trusts nobody. */
export function trustedBy({ arn, account, role }: AskedRole): Resource {
  return { type: 'role', arn, account, policy: role?.trustPolicy ?? trustsNobody }
}

const trustsNobody = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: 'sts:AssumeRole',
      Condition: { Null: { 'aws:PrincipalAccount': 'true' } },
    },
  ],
})

/** Its tags and its account, as condition keys. */
export function roleConditions({ account, role }: AskedRole): ConditionValues {
  return { 'aws:ResourceAccount': account, ...entityTagConditions(role?.tags ?? []) }
}
