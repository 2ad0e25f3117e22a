import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { cosignedMessage } from '../base/cosigned-message.ts'
import type { Checkpoint, NoteSignature } from './checkpoint.ts'

/**
 * Who signs notes, and in which form (C2SP signed-note and tlog-cosignature): a log's Ed25519 signature, a cosigner's
 * Ed25519 signature with a time, and ML-DSA-44, which is the same for both.
 */
export const signatureTypes = { ed25519: 0x01, cosignature: 0x04, mlDsa44: 0x06 } as const

export type SignatureType = (typeof signatureTypes)[keyof typeof signatureTypes]

export type VerifierKey = {
  readonly name: string
  readonly type: SignatureType
  /** Raw: 32 bytes, or 1312 of ML-DSA-44. */
  readonly publicKey: Buffer
  readonly keyId: Buffer
}

const timeBytes = 8
/** SubjectPublicKeyInfo up to the key's bytes: RFC 8410 §4, RFC 9881 §4. */
const spkiPrefixes = {
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
  mlDsa44: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
}
const keyBytes = { [0x01]: 32, [0x04]: 32, [0x06]: 1312 } as const
const signatureBytes = { [0x01]: 64, [0x04]: timeBytes + 64, [0x06]: timeBytes + 2420 } as const

export function verifierKey(name: string, type: SignatureType, publicKey: Buffer): VerifierKey {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey])
  return { name, type, publicKey, keyId: hash('sha256', input, 'buffer').subarray(0, 4) }
}

/** `name+key id in hex+base64(type ‖ key)` */
export function vkeyText({ name, type, publicKey, keyId }: VerifierKey): string {
  const key = Buffer.concat([Buffer.of(type), publicKey]).toString('base64')
  return `${name}+${keyId.toString('hex')}+${key}`
}

/** Answers the key, or what is wrong with it. */
export function parseVkey(text: string): VerifierKey | string {
  // Base64 may hold a plus of its own.
  const [, name = '', id = '', encoded = ''] =
    /^([^\s+]{1,255})\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (name === '' || Buffer.byteLength(name) > 255 || bytes.toString('base64') !== encoded) {
    return 'it is not NAME+ID+KEY'
  }
  const type = Object.values(signatureTypes).find((known) => known === bytes[0])
  if (type === undefined) return `its type ${bytes[0]} is not known`
  const publicKey = bytes.subarray(1)
  if (publicKey.length !== keyBytes[type]) return `its key has ${publicKey.length} bytes`
  const key = verifierKey(name, type, publicKey)
  return key.keyId.toString('hex') === id ? key : 'its key id is not that of name and key'
}

/** One line of a signed note. */
export function signatureLine({ name, keyId }: VerifierKey, signature: Buffer): string {
  return `\u2014 ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`
}

/** What a cosigner's Ed25519 signature is over: when, and the whole text of the checkpoint. */
export function cosignatureText(time: number, text: string): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
}

/** Time and signature, as they stand in a cosignature of either kind. */
export function timestamped(time: number, signature: Buffer): Buffer {
  const bytes = Buffer.alloc(timeBytes)
  bytes.writeBigUInt64BE(BigInt(time))
  return Buffer.concat([bytes, signature])
}

/** Whether a signature line belongs to a key, by name and key id. It may be wrong all the same. */
export function isBy(line: NoteSignature, key: VerifierKey): boolean {
  return line.name === key.name && line.keyId.equals(key.keyId)
}

export function verifyLine(checkpoint: Checkpoint, line: NoteSignature, key: VerifierKey): boolean {
  const { signature } = line
  if (!isBy(line, key) || signature.length !== signatureBytes[key.type]) return false
  if (key.type === signatureTypes.ed25519) {
    return verify(null, Buffer.from(checkpoint.text), publicKeyOf(key), signature)
  }
  const time = Number(signature.readBigUInt64BE())
  if (!Number.isSafeInteger(time)) return false
  const message =
    key.type === signatureTypes.cosignature
      ? cosignatureText(time, checkpoint.text)
      : cosignedMessage(key.name, time, {
          origin: checkpoint.origin,
          size: checkpoint.size,
          root: Buffer.from(checkpoint.root, 'latin1'),
        })
  return verify(null, message, publicKeyOf(key), signature.subarray(timeBytes))
}

function publicKeyOf({ type, publicKey }: VerifierKey): KeyObject {
  const prefix = type === signatureTypes.mlDsa44 ? spkiPrefixes.mlDsa44 : spkiPrefixes.ed25519
  return createPublicKey({ key: Buffer.concat([prefix, publicKey]), format: 'der', type: 'spki' })
}
