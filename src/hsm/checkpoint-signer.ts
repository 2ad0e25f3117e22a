import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { cosignedMessage } from '../base/cosigned-message.ts'
import { internalError } from '../base/errors.ts'
import { type CheckpointText, parseCheckpointText } from './checkpoint-text.ts'

/** PKCS #8 of an Ed25519 private key up to its 32 bytes (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const rawPublicKeyBytes = 32
/** PKCS #8 of an ML-DSA-44 private key up to its seed of 32 bytes (RFC 9881 §6). */
const mlDsaPkcs8Prefix = Buffer.from('3034020100300b0609608648016503040311042280', 'hex')
const mlDsaPublicKeyBytes = 1312
/** SP 800-108r1 §4.1, counter mode, one block of HMAC-SHA-256: counter ‖ label ‖ 0x00 ‖ length in bits. */
const mlDsaInput = Buffer.concat([
  Buffer.from([0, 0, 0, 1]),
  Buffer.from('kagiban/checkpoint/ml-dsa-44/v1'),
  Buffer.from([0, 0, 0, 1, 0]),
])
/**
 * A core serves one service, which has one journal and at most one root log at a time; none is forgotten to make room
 * for another.
 */
const originsMax = 64

/**
 * Signs the journal's checkpoints with Ed25519 (RFC 8032). Whoever takes over the service can have no other text
 * signed, and no history that contradicts what this process has signed before.
 */
export class CheckpointSigner {
  readonly #key: KeyObject
  readonly #mlDsaKey: KeyObject
  /** The largest checkpoint signed of each origin. */
  readonly #signed = new Map<string, CheckpointText>()
  /** The same for ML-DSA, which follows behind. */
  readonly #cosigned = new Map<string, CheckpointText>()

  /** Wipes `seed`, the 32 bytes of the Ed25519 private key. The one of ML-DSA-44 is derived from it. */
  constructor(seed: Buffer) {
    this.#mlDsaKey = mlDsaKeyOf(seed)
    const der = Buffer.concat([pkcs8Prefix, seed])
    seed.fill(0)
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    der.fill(0)
  }

  /** Throws 'internal' for anything but the text of a checkpoint that goes on from those signed before. */
  sign(message: Buffer): Buffer {
    const checkpoint = parseCheckpointText(message)
    if (checkpoint === undefined) throw internalError('not the text of a checkpoint')
    remember(this.#signed, checkpoint)
    return sign(null, message, this.#key)
  }

  /**
   * The ML-DSA-44 signature (2,420 bytes, FIPS 204) of a checkpoint, as a cosigner that has the origin's name and says
   * nothing of when. It says nothing either that the Ed25519 key has not said: `signature` is that key's, of the same
   * text. Throws 'internal' without it, and for a checkpoint that goes back behind one signed so before.
   */
  cosign(message: Buffer, signature: Buffer): Buffer {
    const checkpoint = parseCheckpointText(message)
    if (checkpoint === undefined) throw internalError('not the text of a checkpoint')
    if (signature.length !== 64 || !verify(null, message, createPublicKey(this.#key), signature)) {
      throw internalError('a checkpoint that was not signed with Ed25519')
    }
    remember(this.#cosigned, checkpoint)
    const { origin, size } = checkpoint
    const root = Buffer.from(checkpoint.root, 'base64')
    return sign(null, cosignedMessage(origin, 0, { origin, size, root }), this.#mlDsaKey)
  }

  /** 1,312 bytes. */
  mlDsaPublicKey(): Buffer {
    const spki = createPublicKey(this.#mlDsaKey).export({ format: 'der', type: 'spki' })
    return Buffer.from(spki.subarray(spki.length - mlDsaPublicKeyBytes))
  }

  /** 32 bytes. */
  publicKey(): Buffer {
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' })
    return Buffer.from(spki.subarray(spki.length - rawPublicKeyBytes))
  }
}

function mlDsaKeyOf(seed: Buffer): KeyObject {
  const derived = createHmac('sha256', seed).update(mlDsaInput).digest()
  const der = Buffer.concat([mlDsaPkcs8Prefix, Buffer.of(derived.length), derived])
  derived.fill(0)
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

function remember(signed: Map<string, CheckpointText>, checkpoint: CheckpointText): void {
  const { origin, size, root } = checkpoint
  const last = signed.get(origin)
  if (last === undefined && signed.size >= originsMax) {
    throw internalError('checkpoints of too many journals')
  }
  if (last !== undefined && size < last.size) {
    throw internalError(`a checkpoint of size ${size} after one of size ${last.size}`)
  }
  if (last !== undefined && size === last.size && root !== last.root) {
    throw internalError(`another checkpoint of size ${size}`)
  }
  signed.set(origin, checkpoint)
}
