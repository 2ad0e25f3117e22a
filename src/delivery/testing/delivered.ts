import { createPublicKey, hash, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { DigestPublicKey } from '../../services/cloudtrail/delivery.ts'
import type { StoredFile } from './buckets.ts'

export type Digest = {
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly digestS3Bucket: string
  readonly digestS3Object: string
  readonly previousDigestS3Bucket: string | null
  readonly previousDigestS3Object: string | null
  readonly previousDigestHashValue: string | null
  readonly previousDigestHashAlgorithm: string | null
  readonly previousDigestSignature: string | null
  readonly newestEventTime: string | null
  readonly oldestEventTime: string | null
  readonly logFiles: readonly {
    readonly s3Object: string
    readonly hashValue: string
    readonly oldestEventTime: string
    readonly newestEventTime: string
    readonly tlog: readonly {
      readonly origin: string
      readonly firstIndex: number
      readonly endIndex: number
      readonly count: number
    }[]
  }[]
}

export type Delivered = {
  /** By key. */
  readonly logs: ReadonlyMap<string, readonly { readonly eventID: string }[]>
  readonly digests: ReadonlyMap<string, Digest>
  /** The eventID of each record of each log file. */
  readonly events: readonly string[]
}

export function delivered(files: ReadonlyMap<string, StoredFile>): Delivered {
  const logs = new Map<string, { eventID: string }[]>()
  const digests = new Map<string, Digest>()
  for (const [key, { body }] of files) {
    const text = gunzipSync(body).toString()
    if (key.includes('/CloudTrail-Digest/')) digests.set(key, JSON.parse(text) as Digest)
    else logs.set(key, (JSON.parse(text) as { Records: { eventID: string }[] }).Records)
  }
  const events = [...logs.values()].flatMap((records) => records.map(({ eventID }) => eventID))
  return { logs, digests, events }
}

/**
 * What is wrong with the files of a bucket, each as a sentence: an event in two files, a file in no digest or in two, a
 * wrong hash or signature, a chain that is broken or has two beginnings where `chains` says one.
 */
export function faultsOf(
  files: ReadonlyMap<string, StoredFile>,
  keys: readonly DigestPublicKey[],
  chains = 1,
): string[] {
  const faults: string[] = []
  const { logs, digests, events } = delivered(files)
  const twice = events.filter((id, index) => events.indexOf(id) !== index)
  faults.push(...twice.map((id) => `event ${id} stands in two places`))
  const listed = [...digests.values()].flatMap(({ logFiles }) => logFiles)
  for (const key of logs.keys()) {
    const count = listed.filter(({ s3Object }) => s3Object === key).length
    if (count !== 1) faults.push(`${key} is listed by ${count} digests`)
  }
  for (const { s3Object, hashValue } of listed) {
    const file = files.get(s3Object)
    const found = file && hash('sha256', gunzipSync(file.body), 'hex')
    if (found !== hashValue) faults.push(`${s3Object} has not the hash of its digest`)
  }
  const beginnings = new Map<string, number>()
  const followed = new Set<string>()
  for (const [key, digest] of digests) {
    const region = key.split('/CloudTrail-Digest/')[1]?.split('/')[0] ?? ''
    const previous = digest.previousDigestS3Object
    if (previous === null) beginnings.set(region, (beginnings.get(region) ?? 0) + 1)
    else if (followed.has(previous)) faults.push(`${previous} is followed twice`)
    else followed.add(previous)
    faults.push(...faultsOfDigest(key, digest, files, digests, keys))
  }
  for (const [region, count] of beginnings) {
    if (count !== chains) faults.push(`${count} chains begin in ${region}`)
  }
  return faults
}

function faultsOfDigest(
  key: string,
  digest: Digest,
  files: ReadonlyMap<string, StoredFile>,
  digests: ReadonlyMap<string, Digest>,
  keys: readonly DigestPublicKey[],
): string[] {
  const faults: string[] = []
  const file = files.get(key)
  const text = file && gunzipSync(file.body)
  const signature = file?.metadata['signature'] ?? ''
  const parts = [
    digest.digestEndTime,
    `${digest.digestS3Bucket}/${digest.digestS3Object}`,
    hash('sha256', text ?? '', 'hex'),
    digest.previousDigestSignature ?? 'null',
  ]
  const isSigned = keys.some(({ value }) => {
    const publicKey = createPublicKey({ key: value, format: 'der', type: 'pkcs1' })
    return verify('sha256', Buffer.from(parts.join('\n')), publicKey, Buffer.from(signature, 'hex'))
  })
  if (!isSigned) faults.push(`${key} is not signed`)
  if (digest.digestS3Object !== key) faults.push(`${key} says it is ${digest.digestS3Object}`)
  const name = digest.previousDigestS3Object
  if (name === null) return faults
  const previous = digests.get(name)
  const previousFile = files.get(name)
  if (previous === undefined || previousFile === undefined) return [...faults, `${name} is missing`]
  if (previous.digestEndTime !== digest.digestStartTime) faults.push(`${key} leaves a gap of time`)
  if (previousFile.metadata['signature'] !== digest.previousDigestSignature) {
    faults.push(`${key} has another signature of ${name}`)
  }
  if (hash('sha256', gunzipSync(previousFile.body), 'hex') !== digest.previousDigestHashValue) {
    faults.push(`${key} has another hash of ${name}`)
  }
  return faults
}
