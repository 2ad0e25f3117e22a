import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import type { DigestPublicKey, DigestSigner } from '../../services/cloudtrail/delivery.ts'

/** Signs with one key for all Regions, made at first use as the service's are. */
export class TestSigner implements DigestSigner {
  #key: { privateKey: KeyObject; published: DigestPublicKey } | undefined

  async publicKeys(): Promise<readonly DigestPublicKey[]> {
    return this.#key === undefined ? [] : [this.#key.published]
  }

  async sign(_region: string, text: Buffer): Promise<{ signature: Buffer; fingerprint: string }> {
    this.#key ??= newKey()
    const { privateKey, published } = this.#key
    return { signature: sign('sha256', text, privateKey), fingerprint: published.fingerprint }
  }

  /** The next signature is made with another key. */
  rotate(): void {
    this.#key = newKey()
  }
}

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const value = createPublicKey(privateKey).export({ format: 'der', type: 'pkcs1' })
  const day = 86_400_000
  const published = {
    value,
    fingerprint: hash('md5', value, 'hex'),
    validFrom: Date.now() - 400 * day,
    validTo: Date.now() + 400 * day,
  }
  return { privateKey, published }
}
