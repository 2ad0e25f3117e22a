import { hash } from 'node:crypto'
import type { PrincipalNames } from '../../../authorize/policy/bind.ts'
import type { Principal } from '../../../authorize/policy/principal.ts'
import type { AccountId } from '../../../base/ids.ts'

/** The unique id of a user or a role, known by its name whatever its path, or of a session of a role. */
export function idOfArn(arn: string): string {
  const [, , , , account = '', resource = ''] = arn.split(':')
  const [kind, name = ''] = resource.split('/')
  const last = arn.slice(arn.lastIndexOf('/') + 1)
  if (kind === 'assumed-role') return `${idOf('AROA', `${account}/${name}`)}:${last}`
  return idOf(kind === 'user' ? 'AIDA' : 'AROA', `${account}/${last}`)
}

function idOf(prefix: string, name: string): string {
  return prefix + hash('sha256', name, 'hex').slice(0, 17).toUpperCase()
}

/** Every well-formed user, role and session of known accounts exists. */
export class TestPrincipals implements PrincipalNames {
  readonly #accounts: readonly AccountId[]
  readonly #arns = new Map<string, string>()

  constructor(accounts: readonly AccountId[]) {
    this.#accounts = accounts
  }

  idOf(principal: Principal): string | undefined {
    if (!('account' in principal)) return undefined
    const { account, type } = principal
    if (!this.#accounts.includes(account)) return undefined
    if (type === 'account') return account
    if (type === 'federated-user') return principal.arn
    const id = idOfArn(principal.arn)
    this.#arns.set(id, principal.arn)
    return id
  }

  arnOf(id: string): string | undefined {
    return this.#arns.get(id)
  }
}
