import type { Principal } from '../authorize/policy/principal.ts'
import type { AccountId } from '../base/ids.ts'
import type { Identities } from './identities.ts'
import { type RoleRecord, roleArn, userArn } from './records.ts'

/**
 * Principals by name and by unique id. What names a principal keeps its id, so that a namesake that is made later
 * gains nothing; it is shown by its name for as long as it is there, and then by its id.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export class Principals {
  readonly #identities: Identities
  readonly #accountExists: (account: AccountId) => boolean

  constructor(identities: Identities, accountExists: (account: AccountId) => boolean) {
    this.#identities = identities
    this.#accountExists = accountExists
  }

  /**
   * What stands in a policy or a grant for a principal: the `principalId` of its callers, `AROA…` for a role, and the
   * text itself for what has no id. Undefined when there is no such principal.
   */
  idOf(principal: Principal): string | undefined {
    switch (principal.type) {
      // As it is shown of a principal that is gone: nobody can be named so again.
      case 'id':
        return undefined
      case 'everyone':
        return '*'
      case 'service':
        return principal.name
      case 'account':
        return this.#accountExists(principal.account) ? principal.account : undefined
      case 'oidc-provider':
        return this.#identities.oidcProviders.byId(principal.arn) && principal.arn
      case 'federated-user':
        return this.#accountExists(principal.account) ? principal.arn : undefined
      case 'user': {
        const user = this.#identities.users.get(principal.account, lastPart(principal.arn))
        return user !== undefined && userArn(user) === principal.arn ? user.userId : undefined
      }
      case 'role': {
        const role = this.#identities.roles.get(principal.account, lastPart(principal.arn))
        return role !== undefined && roleArn(role) === principal.arn ? role.roleId : undefined
      }
      case 'role-session': {
        const [, roleName = '', session = ''] = principal.arn.split('/')
        const role = this.#identities.roles.get(principal.account, roleName)
        return role?.roleName === roleName ? `${role.roleId}:${session}` : undefined
      }
    }
  }

  /** The ARN of a user, a role or a role session by its id; undefined for one that is gone, and for any other text. */
  arnOf(id: string): string | undefined {
    const user = this.#identities.users.byId(id)
    if (user !== undefined) return userArn(user)
    const colon = id.indexOf(':')
    const role = this.#identities.roles.byId(colon < 0 ? id : id.slice(0, colon))
    if (role === undefined) return undefined
    return colon < 0 ? roleArn(role) : sessionArn(role, id.slice(colon + 1))
  }
}

/** Session ARNs leave the role's path out. */
export function sessionArn({ account, roleName }: RoleRecord, session: string): string {
  return `arn:aws:sts::${account}:assumed-role/${roleName}/${session}`
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}
