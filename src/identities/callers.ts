import type { Caller } from '../base/caller.ts'
import { rootArn } from '../base/ids.ts'
import type { Identities } from './identities.ts'
import { type AccessKeyRecord, type Tag, type UserRecord, userArn } from './records.ts'

/** A long-term access key and whom a request that it signed comes from. */
export type Credential = Omit<AccessKeyRecord, 'userId'> & { readonly caller: Caller }

/**
 * Access keys as the authenticator looks them up, on every request. A credential is the same object for as long as
 * neither its key nor its user changes, so that what is derived from a caller can be kept with it.
 */
export class Callers {
  readonly #identities: Identities
  readonly #credentials = new WeakMap<
    AccessKeyRecord,
    { readonly user: UserRecord | undefined; readonly credential: Credential }
  >()

  constructor(identities: Identities) {
    this.#identities = identities
  }

  /** Undefined for a key that nobody has, and for one whose user is gone. */
  credential(accessKeyId: string): Credential | undefined {
    const key = this.#identities.accessKey(accessKeyId)
    if (key === undefined) return undefined
    const user = key.userId === undefined ? undefined : this.#identities.users.byId(key.userId)
    if (key.userId !== undefined && user === undefined) return undefined
    const known = this.#credentials.get(key)
    if (known !== undefined && known.user === user) return known.credential
    const caller = user === undefined ? rootCaller(key) : userCaller(user, key.accessKeyId)
    const credential = { ...key, caller }
    this.#credentials.set(key, { user, credential })
    return credential
  }
}

export function rootCaller({
  account,
  accessKeyId,
}: Pick<AccessKeyRecord, 'account' | 'accessKeyId'>): Caller {
  return { type: 'root', account, arn: rootArn(account), principalId: account, accessKeyId }
}

export function userCaller(user: UserRecord, accessKeyId: string): Caller {
  const { account, userId, userName, tags } = user
  const caller = { account, arn: userArn(user), principalId: userId, accessKeyId, userName }
  return { type: 'user', ...caller, tags: tagsOf(tags) }
}

export function tagsOf(tags: readonly Tag[]): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
}
