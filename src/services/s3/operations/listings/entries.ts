import type { AccountId } from '../../../../base/ids.ts'
import type { Entry } from '../../../../objects/port.ts'
import { integer, list, string, structure, timestamp } from '../../../../wire/schema.ts'
import { decodeAttributes } from '../../attributes.ts'
import { canonicalUserId } from '../../owner.ts'
import type { NameEncoding } from './name-encoding.ts'

const owner = structure({ ID: string() })

/** One object, or one version of an object, in an answer. */
export const objectMembers = {
  Key: string(),
  LastModified: timestamp(),
  ETag: string(),
  ChecksumAlgorithm: list(string()),
  ChecksumType: string(),
  Size: integer(),
  StorageClass: string(),
  Owner: owner,
} as const

export const markerMembers = { Key: string(), LastModified: timestamp(), Owner: owner } as const

/** List members of which each element stands where the list does. */
export const contents = { ...list(structure(objectMembers)), element: 'Contents' } as const
export const commonPrefixes = {
  ...list(structure({ Prefix: string() })),
  element: 'CommonPrefixes',
} as const

export function ownerOf(account: AccountId) {
  return { ID: canonicalUserId(account) }
}

export function shownObject(entry: Entry, shown: NameEncoding) {
  const { key, etag, size, modified, attributes } = entry
  const { checksum } = decodeAttributes(attributes)
  return {
    Key: shown(key),
    LastModified: wholeSeconds(modified),
    ETag: `"${etag}"`,
    ...(checksum && {
      ChecksumAlgorithm: [checksum.algorithm.toUpperCase()],
      ChecksumType: checksum.type,
    }),
    Size: size,
    StorageClass: 'STANDARD',
  }
}

/** Last-Modified has no more, and both have to say the same. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}

export function shownPrefixes(prefixes: readonly string[], shown: NameEncoding) {
  return prefixes.map((prefix) => ({ Prefix: shown(prefix) }))
}
