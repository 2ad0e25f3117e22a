import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ServiceError } from '../../../base/errors.ts'
import { systemRandom } from '../../../base/random.ts'
import type { DataKeys } from '../../../objects/encryption/object-keys.ts'
import { sealUpload } from '../../../objects/encryption/seal.ts'
import type { AccessKey } from '../../../operator/accounts.ts'
import { account, House, region } from '../../../testing/house.ts'
import { wireName } from '../../../wire/errors.ts'
import type { CallContext } from '../../operation.ts'
import type { StoredEncryption } from '../attributes.ts'
import type { BucketRecord } from '../bucket.ts'
import type { S3Deps } from '../deps.ts'
import { dataKeysOf, type NewDataKeys, newDataKeys } from '../encryption/data-keys.ts'
import type { ChosenEncryption, ChosenKms } from '../encryption/request.ts'

/** Data keys as S3's operations ask for them, with the real KMS behind. */
export type Site = {
  readonly house: House
  readonly deps: S3Deps
  /** A call of S3 by whoever has that access key; root unless one is given. */
  call(key?: AccessKey): CallContext
  make(chosen: ChosenEncryption, setting?: Setting): Promise<NewDataKeys>
  open(made: Made, setting?: Setting): Promise<DataKeys>
  /** Operations and error codes of KMS's records since the last time. */
  recorded(): readonly string[]
}

export type Setting = {
  readonly by?: AccessKey
  readonly bucket?: BucketRecord
  readonly key?: string
}

export type Made = Pick<NewDataKeys, 'wrapped'> & { readonly stored: StoredEncryption }

export const bucket: BucketRecord = {
  ...{ name: 'bucket', account, region, createdAt: 0, storeId: 'store-of-bucket' },
}
export const key = 'path/object'

export async function encryptionSite(
  context: TestContext,
  change: (deps: S3Deps) => S3Deps = (deps) => deps,
): Promise<Site> {
  let real: S3Deps | undefined
  const house = await House.open(context, {
    services: (known) => {
      real = known.find(({ signingName }) => signingName === 's3')?.deps as S3Deps
      return known
    },
  })
  assert.ok(real)
  const deps = change(real)
  const call = (by: AccessKey = house.key): CallContext => ({
    caller: house.caller(by.accessKeyId),
    region,
    now: house.clock.now(),
    requestId: 'REQUEST',
    globalConditions: { 'aws:SourceIp': '192.0.2.7', 'aws:SecureTransport': 'true' },
  })
  let seen = 0
  return {
    house,
    deps,
    call,
    make: (chosen, setting = {}) =>
      newDataKeys(call(setting.by), chosen, { bucket, key, ...setting }, deps),
    open: (made, setting = {}) =>
      dataKeysOf(
        call(setting.by),
        made.stored,
        sidecarOf(made),
        { bucket, key, ...setting },
        undefined,
        deps,
      ),
    recorded() {
      const events = house.journal.events.slice(seen)
      seen = house.journal.events.length
      return events
        .filter(({ eventSource }) => eventSource === 'kms.amazonaws.com')
        .map(({ eventName, errorCode }) =>
          errorCode === undefined ? `${eventName}` : `${eventName}: ${errorCode}`,
        )
    },
  }
}

/** A sidecar that has these wrapped keys. */
export function sidecarOf({ wrapped }: Pick<NewDataKeys, 'wrapped'>): Buffer {
  const keys = wrapped.map(() => Buffer.alloc(32))
  const dataKeys = keys as unknown as DataKeys
  return sealUpload({ dataKeys, wrapped, random: systemRandom }, { bucket: 'b', key: 'k' })
}

export function kmsChoice(keyId: string | undefined, more: Partial<ChosenKms> = {}): ChosenKms {
  return {
    ...{ mode: 'aws:kms', keyId, context: undefined, bucketKey: false, byDefault: false },
    ...more,
  }
}

/** What S3's answer has as its code, and the text; undefined where a text is not asked for. */
export function refused(code: string, text?: string | RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(wireName(error.code, 'rest-xml', 's3'), code)
    if (typeof text === 'string') assert.equal(error.publicMessage, text)
    else if (text !== undefined) assert.match(error.publicMessage ?? '', text)
    return true
  }
}
