import { readElement, tags } from '../asymmetric/der.ts'

/** Views of the parts of a PrivateKeyInfo (RFC 5208 §5). */
export type PrivateKeyInfo = {
  /** The contents of the AlgorithmIdentifier. */
  readonly algorithm: Buffer
  /** The contents of the sequence that is the private key, in the terms of its algorithm. */
  readonly privateKey: Buffer
}

/** Undefined for what is no PrivateKeyInfo, and for one whose private key is no sequence. */
export function parsePrivateKeyInfo(pkcs8: Buffer): PrivateKeyInfo | undefined {
  const info = readElement(tags.sequence, pkcs8)
  const version = info && readElement(tags.integer, info.contents)
  const algorithm = version && readElement(tags.sequence, version.rest)
  const octets = algorithm && readElement(tags.octetString, algorithm.rest)
  const privateKey = octets && readElement(tags.sequence, octets.contents)
  return privateKey && { algorithm: algorithm.contents, privateKey: privateKey.contents }
}
