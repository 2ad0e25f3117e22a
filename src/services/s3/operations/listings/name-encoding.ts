import { percentEncodedPath } from '../../../../base/percent-encoding.ts'

/** How names stand in the answer to a listing: as they are, or with percent signs. */
export type NameEncoding = (name: string) => string

export const exactly: NameEncoding = (name) => name

/**
 * `encoding-type=url`. A space is `%20`, which everybody decodes in the same way; S3 itself writes a plus sign. Names
 * have no half surrogate pairs: they came in UTF-8.
 */
export const urlEncoded: NameEncoding = percentEncodedPath
