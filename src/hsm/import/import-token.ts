import {
  type WrappingAlgorithm,
  type WrappingKeySpec,
  wrappingAlgorithms,
  wrappingKeySpecs,
} from '../key-specs.ts'
import type { KeyName } from '../port.ts'
import { binding, wrapOverhead } from '../wrap.ts'

/**
 * The token of GetParametersForImport (`docs/formats/import-token.md`):
 *
 *   version (1) ‖ algorithm u8 ‖ wrapping spec u8 ‖ valid to u64 ‖ the sealed private key
 *
 * It carries the private half of the wrapping pair, so that the core keeps nothing between the two calls of an import.
 */
const version = 1
const algorithmAt = 1
const specAt = 2
const validToAt = 3
const sealedAt = 11
/** AWS's limit of ImportToken. */
export const tokenBytesMax = 6144

/** Numbers that stand in tokens: none of them may come to mean something else. */
const algorithmCodes: Readonly<Record<WrappingAlgorithm, number>> = {
  RSAES_OAEP_SHA_1: 1,
  RSAES_OAEP_SHA_256: 2,
  RSA_AES_KEY_WRAP_SHA_1: 3,
  RSA_AES_KEY_WRAP_SHA_256: 4,
}
const specCodes: Readonly<Record<WrappingKeySpec, number>> = {
  RSA_2048: 1,
  RSA_3072: 2,
  RSA_4096: 3,
}

/** What a token is for. */
export type Wrapping = {
  readonly spec: WrappingKeySpec
  readonly algorithm: WrappingAlgorithm
  /** Ms since the epoch; the last moment at which the token is taken. */
  readonly validTo: number
}

/** Seals bytes so that they open for the same Region and the same binding only. */
export interface RegionSeal {
  sealForRegion(region: KeyName['region'], plaintext: Buffer, bound: Buffer): Buffer
  /** Undefined when they do not open. What it gives is the caller's to wipe. */
  openForRegion(region: KeyName['region'], sealed: Buffer, bound: Buffer): Buffer | undefined
}

/** `privateKey` is PKCS #8 in DER; it stays the caller's. */
export function sealToken(
  seal: RegionSeal,
  key: KeyName,
  wrapping: Wrapping,
  privateKey: Buffer,
): Buffer {
  const header = Buffer.alloc(sealedAt)
  header[0] = version
  header[algorithmAt] = algorithmCodes[wrapping.algorithm]
  header[specAt] = specCodes[wrapping.spec]
  header.writeBigUInt64BE(BigInt(wrapping.validTo), validToAt)
  const sealed = seal.sealForRegion(key.region, privateKey, boundTo(key, wrapping))
  return Buffer.concat([header, sealed])
}

/** Undefined for anything but a token of this key. The private key is the caller's to wipe. */
export function openToken(
  seal: RegionSeal,
  key: KeyName,
  token: Buffer,
): { wrapping: Wrapping; privateKey: Buffer } | undefined {
  if (token.length < sealedAt + wrapOverhead || token.length > tokenBytesMax) return undefined
  const wrapping = wrappingOf(token)
  if (wrapping === undefined) return undefined
  const sealed = token.subarray(sealedAt)
  const privateKey = seal.openForRegion(key.region, sealed, boundTo(key, wrapping))
  return privateKey && { wrapping, privateKey }
}

function wrappingOf(token: Buffer): Wrapping | undefined {
  const algorithm = wrappingAlgorithms.find((each) => algorithmCodes[each] === token[algorithmAt])
  const spec = wrappingKeySpecs.find((each) => specCodes[each] === token[specAt])
  const validTo = token.readBigUInt64BE(validToAt)
  if (token[0] !== version || algorithm === undefined || spec === undefined) return undefined
  if (validTo > Number.MAX_SAFE_INTEGER) return undefined
  return { algorithm, spec, validTo: Number(validTo) }
}

function boundTo({ region, account, keyId }: KeyName, wrapping: Wrapping): Buffer {
  const { algorithm, spec, validTo } = wrapping
  return binding('import-token', region, account, keyId, algorithm, spec, String(validTo))
}
