import type { AccountId, KeyId, Region } from '../base/ids.ts'
import type {
  DataKeyPairSpec,
  EncryptionAlgorithm,
  KeySpec,
  MessageType,
  RsaEncryptionAlgorithm,
  SigningAlgorithm,
  WrappingAlgorithm,
  WrappingKeySpec,
} from './key-specs.ts'

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

  /**
   * New key material for a KMS key, wrapped by the Region's active domain key. 'throttled' when too many RSA keys are
   * being made already.
   */
  createMaterial(key: KeyName, spec: KeySpec): Promise<NewMaterial>
  /** The symmetric three: `material` is of SYMMETRIC_DEFAULT. */
  encrypt(material: Material, plaintext: Buffer, context: EncryptionContext): Promise<Buffer>
  decrypt(material: Material, blob: Buffer, context: EncryptionContext): Promise<Buffer>
  /** The plaintext stays inside the core. A context counts for SYMMETRIC_DEFAULT only. */
  reEncrypt(
    from: {
      material: Material
      algorithm: EncryptionAlgorithm
      blob: Buffer
      context: EncryptionContext
    },
    to: { material: Material; algorithm: EncryptionAlgorithm; context: EncryptionContext },
  ): Promise<Buffer>
  /** RSAES-OAEP (RFC 8017 §7.1), empty label, MGF1 of the same hash. 'validation' when the plaintext is too long. */
  encryptRsa(
    material: Material,
    algorithm: RsaEncryptionAlgorithm,
    plaintext: Buffer,
  ): Promise<Buffer>
  decryptRsa(material: Material, algorithm: RsaEncryptionAlgorithm, blob: Buffer): Promise<Buffer>
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
  /** SPKI, PKCS#8 (RFC 5208; ML-KEM as its seed) and the PKCS#8 encrypted like a data key. */
  generateDataKeyPair(
    material: Material,
    spec: DataKeyPairSpec,
    context: EncryptionContext,
  ): Promise<{ publicKey: Buffer; privateKey: Buffer; blob: Buffer }>
  generateDataKeyPairWithoutPlaintext(
    material: Material,
    spec: DataKeyPairSpec,
    context: EncryptionContext,
  ): Promise<{ publicKey: Buffer; blob: Buffer }>
  random(bytes: number): Promise<Buffer>

  /**
   * RSA signatures as RFC 8017 has them (the salt of PSS as long as the hash), ECDSA in DER (RFC 3279), Ed25519
   * (FIPS 186-5 §7.6 and §7.8), ML-DSA (FIPS 204, empty context). Length and type of the message were checked against
   * the algorithm before.
   */
  sign(
    material: Material,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
  ): Promise<Buffer>
  verify(
    material: Material,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
    signature: Buffer,
  ): Promise<boolean>
  /** HMAC (RFC 2104) with the hash of the key's spec. */
  generateMac(material: Material, message: Buffer): Promise<Buffer>
  /** Compares in constant time. */
  verifyMac(material: Material, message: Buffer, mac: Buffer): Promise<boolean>
  /**
   * ECDH (SP 800-56A §5.7.1.2): the x coordinate. `publicKey` is SPKI in DER; 'validation' when it is no point of the
   * same curve.
   */
  deriveSharedSecret(material: Material, publicKey: Buffer): Promise<Buffer>
  /** ML-KEM (FIPS 203). */
  encapsulate(material: Material): Promise<{ sharedSecret: Buffer; ciphertext: Buffer }>
  /** 'invalid-ciphertext' for a wrong length; any other ciphertext gives some secret (implicit rejection). */
  decapsulate(material: Material, ciphertext: Buffer): Promise<Buffer>

  /**
   * A new RSA key pair to wrap material with on its way here. The token holds its private half sealed, and is bound to
   * key, algorithm and time. 'throttled' as for `createMaterial`.
   */
  importParameters(
    key: KeyName,
    wrapping: { spec: WrappingKeySpec; algorithm: WrappingAlgorithm; validTo: number },
  ): Promise<{ publicKey: Buffer; token: Buffer }>
  /**
   * Material from outside. Its id is made of key id and material, so that the same material has the same id again.
   * 'invalid-import-token', 'expired-import-token', 'invalid-ciphertext' (it does not unwrap),
   * 'incorrect-key-material' (it is none of that spec).
   */
  importMaterial(
    key: KeyName,
    spec: KeySpec,
    wrapped: { token: Buffer; encrypted: Buffer },
  ): Promise<NewMaterial>
  /** The same material, for the replica of the key in another Region. */
  replicate(material: Material, region: Region): Promise<Material>
  /**
   * Drops material that the store no longer has: calls still under way with it in this wrapped form fail as
   * 'key-unavailable'. The same material in another form, from an import or of another Region, goes on.
   */
  forget(materials: readonly WrappedMaterial[]): Promise<void>

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
  /**
   * Seals what only this deployment may have made: what it says is read by `open` alone, with the same purpose and
   * owner. At most 16 KiB, and an owner of at most 256 bytes.
   */
  seal(purpose: SealPurpose, owner: string, plaintext: Buffer): Promise<Buffer>
  /** 'invalid-ciphertext' for anything that `seal` did not make for this purpose and owner. */
  open(purpose: SealPurpose, owner: string, sealed: Buffer): Promise<Buffer>
  /** The SigV4 signing key (32 bytes) of one day, Region and service: HMAC chain over the sealed secret. */
  signingKey(scope: SigningScope): Promise<Buffer>
  /**
   * Ed25519 over `message`, by the journal's own key. The message is the text of a checkpoint of origin
   * `kagiban/<node>/<UUID>`; anything else is refused ('internal'), and so is what contradicts an earlier one.
   */
  signCheckpoint(message: Buffer): Promise<Buffer>
  /** The raw 32-byte Ed25519 public key that verifies checkpoints. */
  checkpointPublicKey(): Promise<Buffer>
  /**
   * ML-DSA-44 over the same checkpoint (C2SP tlog-cosignature; the cosigner's name is the origin, the time 0), if
   * `signature` is what `signCheckpoint` made of it; 2,420 bytes. 'internal' for anything else.
   */
  cosignCheckpoint(message: Buffer, signature: Buffer): Promise<Buffer>
  /** The raw 1,312-byte ML-DSA-44 public key of those. */
  checkpointMlDsaPublicKey(): Promise<Buffer>
}

/**
 * `session`: what the token of temporary credentials says, owned by their access key id. `object-key`: the data key of
 * an object under SSE-S3, owned by an id that is kept beside it, in hexadecimal; also the labels key of an upload
 * under a customer's key.
 */
export const sealPurposes = ['session', 'authorization-message', 'object-key'] as const

export type SealPurpose = (typeof sealPurposes)[number]

export type KeyName = {
  readonly region: Region
  readonly account: AccountId
  readonly keyId: KeyId
}

export type NewMaterial = {
  readonly material: Material
  /** SPKI in DER (RFC 5280); undefined for secret keys. */
  readonly publicKey: Buffer | undefined
}

/** Key material as the store keeps it: useless without the core. */
export type Material = KeyName & {
  /** Absent: SYMMETRIC_DEFAULT. The core opens it as material of this spec only. */
  readonly keySpec?: KeySpec
  /** 64 lower-case hexadecimal digits. */
  readonly materialId: string
  /** The wrapped bytes, base64. The core opens it only for this region, account, key and material id. */
  readonly wrapped: string
  /** Generation of the domain key that wraps it. */
  readonly generation: number
}

/** Which material, and in which form. */
export type WrappedMaterial = Pick<Material, 'materialId' | 'wrapped'>

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
