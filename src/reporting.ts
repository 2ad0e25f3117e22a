import { setImmediate } from 'node:timers/promises'
import type { Assembly } from './assembly.ts'
import type { Clock } from './base/clock.ts'
import { parseArn } from './base/ids.ts'
import { isSymmetric } from './hsm/key-specs.ts'
import { ObjectRefusal, type ObjectStore } from './objects/port.ts'
import type { BucketContents, BucketFacts, UploadFacts } from './reports/bucket-facts.ts'
import type { GrantFacts, KeyFacts } from './reports/facts.ts'
import type { ReportDeps } from './reports/report-commands.ts'
import { keysNamed } from './services/kms/analysed-key.ts'
import { operationNames } from './services/kms/grant.ts'
import { shownParty } from './services/kms/grant-principal.ts'
import { arnOf, type KeyRecord } from './services/kms/key.ts'
import { trackedOperations } from './services/kms/last-usage.ts'
import { asOf, materialEntries } from './services/kms/materials.ts'
import { rotationOf } from './services/kms/rotation.ts'
import { decodeAttributes, type ObjectAttributes } from './services/s3/attributes.ts'
import { type BucketRecord, bucketArn, defaultEncryptionOf } from './services/s3/bucket.ts'
import { decodeUploadAttributes } from './services/s3/operations/uploads/upload.ts'
import type { Tables } from './tables.ts'

type Reporting = Pick<
  ReportDeps,
  'keyFacts' | 'keyFactsOf' | 'grantFacts' | 'keyOperations' | 'bucketFacts' | 'contents'
>

/** Keys, grants and buckets as reports read them, out of the tables and the store of objects. */
export function reporting(
  tables: Tables & { readonly objects: ObjectStore },
  { principals }: Assembly,
  clock: Clock,
): Reporting {
  const { state, grants, s3 } = tables
  return {
    keyOperations: trackedOperations,
    *keyFacts() {
      for (const key of state.keys.values()) yield keyFacts(asOf(key, clock.now()), tables)
    },
    keyFactsOf(text) {
      const { region = '', resource = '', account } = parseArn(text) ?? {}
      const key = state.keys.get(`${region}/${resource.replace(/^key\//, '')}`)
      return key?.account === account ? key && keyFacts(asOf(key, clock.now()), tables) : undefined
    },
    *bucketFacts() {
      for (const bucket of s3.rows.values()) yield bucketFacts(bucket, tables)
    },
    contents: bucketContents(tables),
    *grantFacts({ arn, region, keyId }) {
      const key = state.keys.get(`${region}/${keyId}`)
      if (key === undefined) return
      for (const grant of grants.ofKey(key, { after: undefined, count: grants.count(key) })) {
        const facts: GrantFacts = {
          grantId: grant.grantId,
          key: arn,
          createdAt: grant.createdAt,
          grantee: shownParty(grant.grantee, principals),
          operations: operationNames(grant.operations),
          name: grant.name,
        }
        yield facts
      }
    },
  }
}

function keyFacts(key: KeyRecord, { state }: Tables): KeyFacts {
  const { account, region, keyId, createdAt, keySpec, origin, manager = 'CUSTOMER' } = key
  const materials = materialEntries(key)
  const rotated = materials.findLast(({ rotatedAt }) => rotatedAt !== undefined)
  return {
    ...{ arn: arnOf(key), account, region, keyId, createdAt, keySpec, origin, manager },
    aliases: state.aliasNamesOf(key),
    state: key.state,
    rotatable: isSymmetric(keySpec),
    rotation: rotationOf(key),
    materials: materials.length,
    lastRotation:
      rotated?.rotatedAt === undefined
        ? undefined
        : { at: rotated.rotatedAt, type: rotated.rotationType ?? '' },
    deletionDate: key.deletion?.date,
  }
}

function bucketFacts(bucket: BucketRecord, { state }: Tables): BucketFacts {
  const { name, account, region, createdAt } = bucket
  const { algorithm: mode, keyId, bucketKey } = defaultEncryptionOf(bucket)
  const place = { name, arn: bucketArn(name), account, region, createdAt }
  if (mode === 'AES256') return { ...place, rule: { ...sseS3, keyName: undefined } }
  const named = keysNamed(keyId ?? 'alias/aws/s3', [region], [account], state)
  const [found] = named.filter((key) => keyId?.startsWith('arn:') || key.account === account)
  const given = keyId?.includes(':key/') === true ? keyId : undefined
  const key = found === undefined ? given : arnOf(found)
  return { ...place, rule: { mode, key, keyName: keyId, bucketKey } }
}

const sseS3 = { mode: 'AES256', key: undefined, bucketKey: false } as const

/** What it takes to read so many keeps others waiting for a few milliseconds. */
const pageRows = 250

/** The pages of the store, one behind the other. */
function bucketContents({ s3, objects }: Pick<Tables, 's3'> & { objects: ObjectStore }) {
  const max = pageRows
  const contents: BucketContents = {
    versions: ({ name }) =>
      pages(s3.get(name)?.storeId, async (storeId, next?: { key: string; version?: string }) => {
        const from = { prefix: '', after: next?.key, afterVersion: next?.version, max }
        const page = await objects.listVersions(storeId, from)
        const found = page.versions
          .filter(({ deleteMarker }) => !deleteMarker)
          .map(({ key, latest, size, modified, attributes }) => ({
            ...{ key, latest, size, modified },
            encryption: encryptionOf(() => decodeAttributes(attributes)),
          }))
        return { found, next: page.next }
      }),
    uploads: ({ name }) =>
      pages(s3.get(name)?.storeId, async (storeId, next?: { key: string; upload?: string }) => {
        const from = { prefix: '', after: next?.key, afterUpload: next?.upload, max }
        const page = await objects.listUploads(storeId, from)
        const found = page.uploads.map(({ key, initiated, attributes }) => ({
          ...{ key, modified: initiated },
          encryption: encryptionOf(() => decodeUploadAttributes(attributes).object),
        }))
        return { found, next: page.next }
      }),
  }
  return contents
}

/** Others have their turns between two pages. A bucket that is deleted meanwhile has no more of them. */
async function* pages<T, Next>(
  storeId: string | undefined,
  ask: (
    storeId: string,
    next: Next | undefined,
  ) => Promise<{ readonly found: readonly T[]; readonly next: Next | undefined }>,
): AsyncGenerator<readonly T[]> {
  if (storeId === undefined) return
  let next: Next | undefined
  try {
    do {
      const page = await ask(storeId, next)
      yield page.found
      next = page.next
      await setImmediate()
    } while (next !== undefined)
  } catch (error) {
    if (!(error instanceof ObjectRefusal) || error.code !== 'no-such-bucket') throw error
  }
}

/** Damage to one object must not hide all others. */
function encryptionOf(decoded: () => ObjectAttributes): UploadFacts['encryption'] {
  try {
    const { encryption } = decoded()
    const { mode } = encryption
    if (mode === 'customer') return { mode, key: undefined, bucketKey: false, byDefault: false }
    const { byDefault } = encryption
    if (mode === 'AES256') return { mode, key: undefined, bucketKey: false, byDefault }
    return { mode, key: encryption.keyArn, bucketKey: encryption.bucketKey, byDefault }
  } catch {
    return { mode: 'unreadable', key: undefined, bucketKey: false, byDefault: false }
  }
}
