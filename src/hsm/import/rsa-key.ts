import { der, tags, unsignedInteger } from '../asymmetric/der.ts'
import { toNumber } from '../asymmetric/modular.ts'
import { readBer, readUnsigned } from './ber.ts'
import {
  encodePrivateKeyInfo,
  encodePublicKeyInfo,
  type PrivateKeyInfo,
} from './private-key-info.ts'

/** rsaEncryption (RFC 8017 §C), without tag and length. */
const rsaEncryption = Buffer.from('2a864886f70d010101', 'hex')
const identifier = der(
  tags.sequence,
  der(tags.objectIdentifier, rsaEncryption),
  der(tags.null, Buffer.alloc(0)),
)

/** FIPS 186-5 §5.4 (e): odd, and 2^16 < e < 2^256. */
const exponentMin = 65_537n
const exponentBytesMax = 32

/** Of RSAPrivateKey (RFC 8017 §A.1.2): version, n, e, d, p, q, dP, dQ, qInv. */
const numbersOfKey = 9

/**
 * The key put together anew. Undefined unless it is one of RSA with a modulus of exactly `bits`, a public exponent in
 * bounds, two primes, and no number longer than the modulus: nothing takes longer with it than with any key of that
 * size. That its numbers belong together is for `isConsistentRsa` to find out.
 */
export function importedRsa(
  { algorithm, parameters, privateKey }: PrivateKeyInfo,
  bits: number,
): { material: Buffer; publicKey: Buffer } | undefined {
  if (!algorithm.equals(rsaEncryption) || !isNull(parameters)) return undefined
  const numbers = numbersOf(privateKey)
  const [version, modulus, exponent] = numbers
  if (version === undefined || modulus === undefined || exponent === undefined) return undefined
  if (numbers.length !== numbersOfKey || !version.equals(Buffer.of(0))) return undefined
  if (modulus.length !== bits / 8 || (modulus[0] ?? 0) < 0x80 || !isExponent(exponent)) {
    return undefined
  }
  if (numbers.some((number) => number.length > modulus.length)) return undefined
  const integers = numbers.map(unsignedInteger)
  const rsaPublicKey = der(tags.sequence, unsignedInteger(modulus), unsignedInteger(exponent))
  const rsaPrivateKey = der(tags.sequence, ...integers)
  for (const integer of integers) integer.fill(0)
  return {
    material: encodePrivateKeyInfo(identifier, rsaPrivateKey),
    publicKey: encodePublicKeyInfo(identifier, rsaPublicKey),
  }
}

/** Views of the numbers of an RSAPrivateKey; none for a key of more primes, which has a sequence of them, too. */
export function numbersOf(rsaPrivateKey: Buffer): readonly Buffer[] {
  const numbers: Buffer[] = []
  const sequence = readBer(tags.sequence, rsaPrivateKey)
  let rest = sequence?.contents
  while (rest !== undefined && rest.length > 0 && numbers.length < numbersOfKey) {
    const number = readUnsigned(rest)
    if (number !== undefined) numbers.push(number.contents)
    rest = number?.rest
  }
  return rest?.length === 0 ? numbers : []
}

/** The parameters are NULL, or left out. */
function isNull(parameters: Buffer): boolean {
  if (parameters.length === 0) return true
  const none = readBer(tags.null, parameters)
  return none?.contents.length === 0 && none.rest.length === 0
}

function isExponent(bytes: Buffer): boolean {
  if (bytes.length > exponentBytesMax) return false
  const exponent = toNumber(bytes)
  return exponent % 2n === 1n && exponent >= exponentMin
}
