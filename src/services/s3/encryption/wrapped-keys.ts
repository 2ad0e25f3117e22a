import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '../../../base/random.ts'
import { ObjectDamage } from '../../../objects/encryption/damage.ts'

/** What brings a data key back, as the sidecar of an object has it: `docs/formats/object.md`, "Wrapped keys". */
export type WrappedKey =
  /** SSE-S3: sealed by the key core, for an owner of its own. */
  | { readonly kind: 'sealed'; readonly ownerId: Buffer; readonly sealed: Buffer }
  /** The CiphertextBlob of KMS. */
  | { readonly kind: 'kms'; readonly blob: Buffer }
  /** Under a bucket key, which `blob` is the CiphertextBlob of. */
  | { readonly kind: 'bucket-key'; readonly blob: Buffer; readonly box: Buffer }

const kinds = { sealed: 1, kms: 2, 'bucket-key': 3 } as const

export const ownerIdBytes = 32
export const dataKeyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const boxBytes = nonceBytes + dataKeyBytes + tagBytes
const algorithm = 'aes-256-gcm'

export function encodeWrapped(wrapped: WrappedKey): Buffer {
  const kind = Buffer.of(kinds[wrapped.kind])
  switch (wrapped.kind) {
    case 'sealed':
      return Buffer.concat([kind, wrapped.ownerId, wrapped.sealed])
    case 'kms':
      return Buffer.concat([kind, wrapped.blob])
    case 'bucket-key':
      return Buffer.concat([kind, wrapped.box, wrapped.blob])
  }
}

/** Throws ObjectDamage 'format' for what is not of that kind. */
export function parseWrapped<K extends WrappedKey['kind']>(
  bytes: Buffer,
  kind: K,
): Extract<WrappedKey, { kind: K }>
export function parseWrapped(bytes: Buffer, kind: WrappedKey['kind']): WrappedKey {
  const fixed = 1 + { sealed: ownerIdBytes, kms: 0, 'bucket-key': boxBytes }[kind]
  if (bytes[0] !== kinds[kind] || bytes.length <= fixed) {
    throw new ObjectDamage('format', `not a wrapped key of the kind '${kind}'`)
  }
  const head = bytes.subarray(1, fixed)
  const tail = bytes.subarray(fixed)
  switch (kind) {
    case 'sealed':
      return { kind, ownerId: head, sealed: tail }
    case 'kms':
      return { kind, blob: tail }
    case 'bucket-key':
      return { kind, box: head, blob: tail }
  }
}

/** AES-256-GCM (NIST SP 800-38D) with a random IV: IV, ciphertext, tag. */
export function seal(
  bucketKey: Buffer,
  dataKey: Buffer,
  bucketArn: string,
  random: Random,
): Buffer {
  const iv = random.bytes(nonceBytes)
  const cipher = createCipheriv(algorithm, bucketKey, iv, { authTagLength: tagBytes })
  cipher.setAAD(bindingOf(bucketArn))
  const ciphertext = cipher.update(dataKey)
  cipher.final()
  return Buffer.concat([iv, ciphertext, cipher.getAuthTag()])
}

/** Throws ObjectDamage 'header'. */
export function open(bucketKey: Buffer, box: Buffer, bucketArn: string): Buffer {
  const iv = box.subarray(0, nonceBytes)
  const decipher = createDecipheriv(algorithm, bucketKey, iv, { authTagLength: tagBytes })
  decipher.setAAD(bindingOf(bucketArn))
  decipher.setAuthTag(box.subarray(boxBytes - tagBytes))
  const dataKey = decipher.update(box.subarray(nonceBytes, boxBytes - tagBytes))
  try {
    decipher.final()
  } catch {
    dataKey.fill(0)
    throw new ObjectDamage('header', 'a data key does not open under this bucket key')
  }
  return dataKey
}

function bindingOf(bucketArn: string): Buffer {
  return Buffer.from(`kagiban/bucket-key/v1/${bucketArn}`)
}
