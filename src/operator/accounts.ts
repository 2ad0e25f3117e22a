import type { CredentialRecord } from '../authenticate/credentials.ts'
import type { Caller } from '../base/caller.ts'
import { type AccountId, type Region, rootArn } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
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

/** The deployment's accounts and access keys. */
export class Accounts {
  readonly #deployment: Table<Deployment>
  readonly #accounts: Table<Account>
  readonly #credentials: Table<CredentialRecord>

  constructor(mirror: Mirror) {
    this.#deployment = mirror.table('deployment', jsonCodec<Deployment>())
    this.#accounts = mirror.table('account', jsonCodec<Account>())
    this.#credentials = mirror.table('credential', jsonCodec<CredentialRecord>())
  }

  get deployment(): Deployment | undefined {
    return this.#deployment.get('deployment')
  }

  get size(): number {
    return this.#accounts.size
  }

  exists(account: AccountId): boolean {
    return this.#accounts.get(account) !== undefined
  }

  credential(accessKeyId: string): CredentialRecord | undefined {
    return this.#credentials.get(accessKeyId)
  }

  found(deployment: Deployment): Put {
    return this.#deployment.put('deployment', deployment)
  }

  /** The changes that make an account and the access key of its root user. */
  async create(account: AccountId, key: AccessKey, now: number, hsm: Hsm): Promise<readonly Put[]> {
    const credential: CredentialRecord = {
      accessKeyId: key.accessKeyId,
      status: 'Active',
      sealedSecret: await hsm.sealSecret(key.accessKeyId, Buffer.from(key.secretAccessKey, 'utf8')),
      caller: rootCaller(account, key.accessKeyId),
      createdAt: now,
    }
    return [
      this.#accounts.put(account, { account, createdAt: now }),
      this.#credentials.put(key.accessKeyId, credential),
    ]
  }
}

export type AccessKey = { readonly accessKeyId: string; readonly secretAccessKey: string }

function rootCaller(account: AccountId, accessKeyId: string): Caller {
  return { type: 'root', account, arn: rootArn(account), principalId: account, accessKeyId }
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** In AWS's form: `AKIA` and 16 characters of base32; 40 characters of base64. */
export function newAccessKey(random: Random): AccessKey {
  const letters = [...random.bytes(16)].map((byte) => base32[byte % 32])
  return {
    accessKeyId: `AKIA${letters.join('')}`,
    secretAccessKey: random.bytes(30).toString('base64'),
  }
}
