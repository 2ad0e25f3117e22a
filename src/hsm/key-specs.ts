/**
 * The kinds of KMS keys as data: what each may be used for, with which algorithms, and of what its material is made.
 * AWS's own names. https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 */
export const keyUsages = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const
export type KeyUsage = (typeof keyUsages)[number]

export const encryptionAlgorithms = [
  'SYMMETRIC_DEFAULT',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
] as const
export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number]
export type RsaEncryptionAlgorithm = Exclude<EncryptionAlgorithm, 'SYMMETRIC_DEFAULT'>

/** `DIGEST`: the message is a hash already; `EXTERNAL_MU`: it is the μ of FIPS 204 §6.2, 64 bytes. */
export const messageTypes = ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const
export type MessageType = (typeof messageTypes)[number]

type SigningRow = {
  readonly scheme: 'pss' | 'pkcs1' | 'ecdsa' | 'ed25519' | 'ed25519ph' | 'ml-dsa'
  /** The hash in node:crypto's name; the scheme has its own where there is none. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  readonly messageTypes: readonly MessageType[]
  /** Bytes that a message must have unless it is RAW. */
  readonly digestBytes?: number
}

const hashed = ['RAW', 'DIGEST'] as const

/** https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html#key-spec-rsa-sign */
export const signing = {
  RSASSA_PSS_SHA_256: {
    scheme: 'pss',
    hash: 'sha256',
    messageTypes: hashed,
    digestBytes: 32,
  },
  RSASSA_PSS_SHA_384: {
    scheme: 'pss',
    hash: 'sha384',
    messageTypes: hashed,
    digestBytes: 48,
  },
  RSASSA_PSS_SHA_512: {
    scheme: 'pss',
    hash: 'sha512',
    messageTypes: hashed,
    digestBytes: 64,
  },
  RSASSA_PKCS1_V1_5_SHA_256: {
    scheme: 'pkcs1',
    hash: 'sha256',
    messageTypes: hashed,
    digestBytes: 32,
  },
  RSASSA_PKCS1_V1_5_SHA_384: {
    scheme: 'pkcs1',
    hash: 'sha384',
    messageTypes: hashed,
    digestBytes: 48,
  },
  RSASSA_PKCS1_V1_5_SHA_512: {
    scheme: 'pkcs1',
    hash: 'sha512',
    messageTypes: hashed,
    digestBytes: 64,
  },
  ECDSA_SHA_256: { scheme: 'ecdsa', hash: 'sha256', messageTypes: hashed, digestBytes: 32 },
  ECDSA_SHA_384: { scheme: 'ecdsa', hash: 'sha384', messageTypes: hashed, digestBytes: 48 },
  ECDSA_SHA_512: { scheme: 'ecdsa', hash: 'sha512', messageTypes: hashed, digestBytes: 64 },
  ED25519_SHA_512: { scheme: 'ed25519', messageTypes: ['RAW'] },
  /** FIPS 186-5 §7.8: the digest that is given is hashed once more. */
  ED25519_PH_SHA_512: { scheme: 'ed25519ph', messageTypes: ['DIGEST'], digestBytes: 64 },
  ML_DSA_SHAKE_256: { scheme: 'ml-dsa', messageTypes: ['RAW', 'EXTERNAL_MU'], digestBytes: 64 },
} as const satisfies Readonly<Record<string, SigningRow>>

export type SigningAlgorithm = keyof typeof signing
export const signingAlgorithms = Object.keys(signing) as readonly SigningAlgorithm[]

export function signingRow(algorithm: SigningAlgorithm): SigningRow {
  return signing[algorithm]
}

export const macAlgorithms = [
  'HMAC_SHA_224',
  'HMAC_SHA_256',
  'HMAC_SHA_384',
  'HMAC_SHA_512',
] as const
export type MacAlgorithm = (typeof macAlgorithms)[number]

/** Of what the material of a key is made. */
export type MaterialKind =
  /** Random bytes. An imported HMAC key may be longer, up to `bytesMax`. */
  | { readonly type: 'secret'; readonly bytes: number; readonly bytesMax: number }
  | { readonly type: 'rsa'; readonly bits: 2048 | 3072 | 4096 }
  /** `curve` in OpenSSL's name. */
  | { readonly type: 'ec'; readonly curve: string }
  | { readonly type: 'ed25519' }
  | { readonly type: 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87' }
  | {
      readonly type: 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024'
      readonly ciphertextBytes: number
    }

type Row = {
  readonly material: MaterialKind
  /** The usages among which the maker of a key chooses one, for good, and the algorithms that come with each. */
  readonly usages: Partial<Readonly<Record<KeyUsage, readonly string[]>>>
  /** Whether material can be imported. */
  readonly importable: boolean
}

const oaep = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const
const rsaSigning = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
] as const

const rsa = (bits: 2048 | 3072 | 4096) =>
  ({
    material: { type: 'rsa', bits },
    usages: { ENCRYPT_DECRYPT: oaep, SIGN_VERIFY: rsaSigning },
    importable: true,
  }) as const

const nistCurve = (curve: string, algorithm: SigningAlgorithm) =>
  ({
    material: { type: 'ec', curve },
    usages: { SIGN_VERIFY: [algorithm], KEY_AGREEMENT: ['ECDH'] },
    importable: true,
  }) as const

const hmac = (bytes: number, algorithm: MacAlgorithm) =>
  ({
    material: { type: 'secret', bytes, bytesMax: 128 },
    usages: { GENERATE_VERIFY_MAC: [algorithm] },
    importable: true,
  }) as const

const mlDsa = (type: 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87') =>
  ({
    material: { type },
    usages: { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] },
    importable: false,
  }) as const

const mlKem = (type: 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024', ciphertextBytes: number) =>
  ({
    material: { type, ciphertextBytes },
    usages: { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] },
    importable: false,
  }) as const

/** Every key spec that is made here. SM2 exists in AWS's Chinese Regions only. */
export const specs = {
  SYMMETRIC_DEFAULT: {
    material: { type: 'secret', bytes: 32, bytesMax: 32 },
    usages: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] },
    importable: true,
  },
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: nistCurve('prime256v1', 'ECDSA_SHA_256'),
  ECC_NIST_P384: nistCurve('secp384r1', 'ECDSA_SHA_384'),
  ECC_NIST_P521: nistCurve('secp521r1', 'ECDSA_SHA_512'),
  ECC_SECG_P256K1: {
    material: { type: 'ec', curve: 'secp256k1' },
    usages: { SIGN_VERIFY: ['ECDSA_SHA_256'] },
    importable: true,
  },
  ECC_NIST_EDWARDS25519: {
    material: { type: 'ed25519' },
    usages: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
    importable: true,
  },
  HMAC_224: hmac(28, 'HMAC_SHA_224'),
  HMAC_256: hmac(32, 'HMAC_SHA_256'),
  HMAC_384: hmac(48, 'HMAC_SHA_384'),
  HMAC_512: hmac(64, 'HMAC_SHA_512'),
  ML_DSA_44: mlDsa('ml-dsa-44'),
  ML_DSA_65: mlDsa('ml-dsa-65'),
  ML_DSA_87: mlDsa('ml-dsa-87'),
  ML_KEM_512: mlKem('ml-kem-512', 768),
  ML_KEM_768: mlKem('ml-kem-768', 1088),
  ML_KEM_1024: mlKem('ml-kem-1024', 1568),
} as const satisfies Readonly<Record<string, Row>>

export type KeySpec = keyof typeof specs
export const keySpecs = Object.keys(specs) as readonly KeySpec[]

export function specRow(spec: KeySpec): Row {
  return specs[spec]
}

/** The algorithms of a key of that spec and usage; none when the spec has no such usage. */
export function algorithmsOf(spec: KeySpec, usage: KeyUsage): readonly string[] {
  return specRow(spec).usages[usage] ?? []
}

export const isSymmetric = (spec: KeySpec): boolean => spec === 'SYMMETRIC_DEFAULT'

/** Has a public half. */
export const isAsymmetric = (spec: KeySpec): boolean => specRow(spec).material.type !== 'secret'

/** What GenerateDataKeyPair makes. */
export const dataKeyPairSpecs = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
] as const satisfies readonly KeySpec[]
export type DataKeyPairSpec = (typeof dataKeyPairSpecs)[number]

export const wrappingKeySpecs = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const
export type WrappingKeySpec = (typeof wrappingKeySpecs)[number]

/** How material travels here. RSAES_PKCS1_V1_5 was retired by AWS, SM2PKE is China's. */
export const wrappingAlgorithms = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const
export type WrappingAlgorithm = (typeof wrappingAlgorithms)[number]

const keyWrap = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const

/**
 * By which algorithms material of each kind may travel here. What RSAES-OAEP cannot hold, or AWS has no use for, is
 * left out. https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html
 */
const wrappedBy: Readonly<Record<MaterialKind['type'], readonly WrappingAlgorithm[]>> = {
  secret: oaep,
  rsa: keyWrap,
  ec: [...oaep, ...keyWrap],
  ed25519: [...oaep, ...keyWrap],
  'ml-dsa-44': [],
  'ml-dsa-65': [],
  'ml-dsa-87': [],
  'ml-kem-512': [],
  'ml-kem-768': [],
  'ml-kem-1024': [],
}

/** A private key of this curve is longer than what this RSA key encrypts. */
const tooLong = { spec: 'ECC_NIST_P521', wrappingSpec: 'RSA_2048', algorithms: oaep } as const

/** Whether GetParametersForImport gives such parameters for keys of `spec`; never for one that is not importable. */
export function mayWrap(
  spec: KeySpec,
  algorithm: WrappingAlgorithm,
  wrappingSpec: WrappingKeySpec,
): boolean {
  const { importable, material } = specRow(spec)
  if (!importable || !wrappedBy[material.type].includes(algorithm)) return false
  const same = spec === tooLong.spec && wrappingSpec === tooLong.wrappingSpec
  return !(same && tooLong.algorithms.some((each) => each === algorithm))
}
