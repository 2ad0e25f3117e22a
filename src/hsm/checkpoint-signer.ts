import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** PKCS #8 of an Ed25519 private key up to its 32 bytes (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const rawPublicKeyBytes = 32

/** Signs the journal's checkpoints with Ed25519 (RFC 8032). */
export class CheckpointSigner {
  readonly #key: KeyObject

  /** Wipes `seed`, the 32 bytes of the private key. */
  constructor(seed: Buffer) {
    const der = Buffer.concat([pkcs8Prefix, seed])
    seed.fill(0)
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    der.fill(0)
  }

  sign(message: Buffer): Buffer {
    return sign(null, message, this.#key)
  }

  /** 32 bytes. */
  publicKey(): Buffer {
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' })
    return Buffer.from(spki.subarray(spki.length - rawPublicKeyBytes))
  }
}
