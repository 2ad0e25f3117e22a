import type { AccountId, Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import type { Identities } from '../identities/identities.ts'
import { newSecretAccessKey, newUniqueId } from '../identities/unique-id.ts'
import { jsonCodec, type Mirror, type Table } from '../storage/mirror.ts'
import type { Put } from '../storage/port.ts'

/** What a data folder took at its first start and keeps. */
export type Deployment = {
  readonly account: AccountId
  /** The first is home. */
  readonly regions: readonly Region[]
  readonly createdAt: number
}

export type Account = { readonly account: AccountId; readonly createdAt: number }

/** The deployment and its accounts. */
export class Accounts {
  readonly #deployment: Table<Deployment>
  readonly #accounts: Table<Account>
  readonly #identities: Identities

  constructor(mirror: Mirror, identities: Identities) {
    this.#identities = identities
    this.#deployment = mirror.table('deployment', jsonCodec<Deployment>())
    this.#accounts = mirror.table('account', jsonCodec<Account>())
  }

  get deployment(): Deployment | undefined {
    return this.#deployment.get('deployment')
  }

  get size(): number {
    return this.#accounts.size
  }

  all(): readonly AccountId[] {
    return [...this.#accounts.values()].map(({ account }) => account)
  }

  exists(account: AccountId): boolean {
    return this.#accounts.get(account) !== undefined
  }

  /** When it was made, ms since the epoch. */
  createdAt(account: AccountId): number | undefined {
    return this.#accounts.get(account)?.createdAt
  }

  found(deployment: Deployment): Put {
    return this.#deployment.put('deployment', deployment)
  }

  /** The changes that make an account and the access key of its root user. */
  async create(account: AccountId, key: AccessKey, now: number, hsm: Hsm): Promise<readonly Put[]> {
    const { accessKeyId, secretAccessKey } = key
    const sealedSecret = await hsm.sealSecret(accessKeyId, Buffer.from(secretAccessKey, 'utf8'))
    const status = 'Active'
    return [
      this.#accounts.put(account, { account, createdAt: now }),
      this.#identities.addAccessKey({ accessKeyId, account, status, sealedSecret, createdAt: now }),
    ]
  }
}

export type AccessKey = { readonly accessKeyId: string; readonly secretAccessKey: string }

/** In AWS's form. */
export function newAccessKey(random: Random): AccessKey {
  return {
    accessKeyId: newUniqueId('AKIA', random),
    secretAccessKey: newSecretAccessKey(random),
  }
}
