import type { AccountId, KeyId, Region } from '../base/ids.ts'

/**
 * The key core, as the service sees it. Key material, the secrets of access keys and the key that signs
 * checkpoints exist in clear only behind this port, in a process of their own.
 *
 * Calls made in one turn of the event loop travel in one message and their answers in another. When the core
 * dies, calls that were not answered are sent again to its successor: all of them may be repeated.
 *
 * Failures are `ServiceError`s: 'invalid-ciphertext' for anything that does not open (never saying why),
 * 'key-unavailable' when material cannot be unwrapped, 'unavailable' when there is no core and none came back in
 * time, 'internal' for the rest.
 */
export interface Hsm {
  /** Makes the region key and the first domain key of a Region unless they exist. */
  ensureRegion(region: Region): Promise<void>
  status(): Promise<HsmStatus>

  /** New 256-bit key material for a KMS key, wrapped by the Region's active domain key. */
  createMaterial(key: KeyName): Promise<Material>
  encrypt(material: Material, plaintext: Buffer, context: EncryptionContext): Promise<Buffer>
  decrypt(material: Material, blob: Buffer, context: EncryptionContext): Promise<Buffer>
  /** The plaintext stays inside the core. */
  reEncrypt(
    from: { material: Material; blob: Buffer; context: EncryptionContext },
    to: { material: Material; context: EncryptionContext },
  ): Promise<Buffer>
  generateDataKey(
    material: Material,
    bytes: number,
    context: EncryptionContext,
  ): Promise<{ plaintext: Buffer; blob: Buffer }>
  generateDataKeyWithoutPlaintext(
    material: Material,
    bytes: number,
    context: EncryptionContext,
  ): Promise<Buffer>
  random(bytes: number): Promise<Buffer>
  /** Drops material for good, once a key is deleted: calls still under way with it fail as 'key-unavailable'. */
  forget(materialIds: readonly string[]): Promise<void>

  /** Makes a new active domain key; older generations still unwrap. Answers the new generation's number. */
  rotateDomainKey(region: Region): Promise<number>
  /** The same material under the active domain key. */
  rewrap(material: Material): Promise<Material>
  /**
   * Destroys every domain key of the Region older than `olderThan`. Refuses ('internal') to touch the active one, and
   * to destroy any while the active one is younger than a minute.
   */
  retireDomainKeys(region: Region, olderThan: number): Promise<void>

  /** Seals the secret access key of `accessKeyId`; only `signingKey` can use it afterwards. */
  sealSecret(accessKeyId: string, secret: Buffer): Promise<string>
  /** The SigV4 signing key (32 bytes) of one day, Region and service: HMAC chain over the sealed secret. */
  signingKey(scope: SigningScope): Promise<Buffer>
  /**
   * Ed25519 over `message`, by the journal's own key. The message is the text of a checkpoint of origin
   * `kagiban/<node>/<UUID>`; anything else is refused ('internal'), and so is what contradicts an earlier one.
   */
  signCheckpoint(message: Buffer): Promise<Buffer>
  /** The raw 32-byte Ed25519 public key that verifies checkpoints. */
  checkpointPublicKey(): Promise<Buffer>
}

export type KeyName = {
  readonly region: Region
  readonly account: AccountId
  readonly keyId: KeyId
}

/** Key material as the store keeps it: useless without the core. */
export type Material = KeyName & {
  /** 64 lower-case hexadecimal digits. */
  readonly materialId: string
  /** The wrapped bytes, base64. The core opens it only for this region, account, key and material id. */
  readonly wrapped: string
  /** Generation of the domain key that wraps it. */
  readonly generation: number
}

/** AWS's encryption context: order does not matter, every byte of keys and values does. */
export type EncryptionContext = Readonly<Record<string, string>>

export type SigningScope = {
  readonly accessKeyId: string
  readonly sealedSecret: string
  /** `YYYYMMDD` */
  readonly date: string
  readonly region: string
  readonly service: string
}

export type HsmStatus = {
  readonly rootDriver: string
  readonly regions: readonly {
    readonly region: Region
    readonly activeGeneration: number
    readonly generations: readonly number[]
    /** When the active generation was made, ms since the epoch. */
    readonly activeSince: number
  }[]
}
