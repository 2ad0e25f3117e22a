import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { internalError } from '../base/errors.ts'
import { type CheckpointText, parseCheckpointText } from './checkpoint-text.ts'

/** PKCS #8 of an Ed25519 private key up to its 32 bytes (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const rawPublicKeyBytes = 32
/** A core serves one service, which has one journal; none is forgotten to make room for another. */
const originsMax = 64

/**
 * Signs the journal's checkpoints with Ed25519 (RFC 8032). Whoever takes over the service can have no other text
 * signed, and no history that contradicts what this process has signed before.
 */
export class CheckpointSigner {
  readonly #key: KeyObject
  /** The largest checkpoint signed of each origin. */
  readonly #signed = new Map<string, CheckpointText>()

  /** Wipes `seed`, the 32 bytes of the private key. */
  constructor(seed: Buffer) {
    const der = Buffer.concat([pkcs8Prefix, seed])
    seed.fill(0)
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    der.fill(0)
  }

  /** Throws 'internal' for anything but the text of a checkpoint that goes on from those signed before. */
  sign(message: Buffer): Buffer {
    const checkpoint = parseCheckpointText(message)
    if (checkpoint === undefined) throw internalError('not the text of a checkpoint')
    this.#remember(checkpoint)
    return sign(null, message, this.#key)
  }

  /** 32 bytes. */
  publicKey(): Buffer {
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' })
    return Buffer.from(spki.subarray(spki.length - rawPublicKeyBytes))
  }

  #remember(checkpoint: CheckpointText): void {
    const { origin, size, root } = checkpoint
    const last = this.#signed.get(origin)
    if (last === undefined && this.#signed.size >= originsMax) {
      throw internalError('checkpoints of too many journals')
    }
    if (last !== undefined && size < last.size) {
      throw internalError(`a checkpoint of size ${size} after one of size ${last.size}`)
    }
    if (last !== undefined && size === last.size && root !== last.root) {
      throw internalError(`another checkpoint of size ${size}`)
    }
    this.#signed.set(origin, checkpoint)
  }
}
