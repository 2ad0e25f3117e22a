import type {
  EncryptionAlgorithmSpec,
  KeySpec,
  KeyUsageType,
  MacAlgorithmSpec,
  SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'

/**
 * AWS's table of key specs, written down once more: what each may be used for, and with which algorithms. SM2 exists
 * in AWS's Chinese Regions only. https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 */
type Kinds<T> = Partial<Readonly<Record<KeySpec, readonly T[]>>>

export const rsaSigning: readonly SigningAlgorithmSpec[] = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
]

export const signers: Kinds<SigningAlgorithmSpec> = {
  RSA_2048: rsaSigning,
  RSA_3072: rsaSigning,
  RSA_4096: rsaSigning,
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  ECC_NIST_P521: ['ECDSA_SHA_512'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
  ML_DSA_44: ['ML_DSA_SHAKE_256'],
  ML_DSA_65: ['ML_DSA_SHAKE_256'],
  ML_DSA_87: ['ML_DSA_SHAKE_256'],
}

const oaep: readonly EncryptionAlgorithmSpec[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']

export const encrypters: Kinds<EncryptionAlgorithmSpec> = {
  SYMMETRIC_DEFAULT: ['SYMMETRIC_DEFAULT'],
  RSA_2048: oaep,
  RSA_3072: oaep,
  RSA_4096: oaep,
}

export const authenticators: Kinds<MacAlgorithmSpec> = {
  HMAC_224: ['HMAC_SHA_224'],
  HMAC_256: ['HMAC_SHA_256'],
  HMAC_384: ['HMAC_SHA_384'],
  HMAC_512: ['HMAC_SHA_512'],
}

export const agreers: Kinds<'ECDH'> = {
  ECC_NIST_P256: ['ECDH'],
  ECC_NIST_P384: ['ECDH'],
  ECC_NIST_P521: ['ECDH'],
}

export const encapsulators: Kinds<'ML_KEM'> = {
  ML_KEM_512: ['ML_KEM'],
  ML_KEM_768: ['ML_KEM'],
  ML_KEM_1024: ['ML_KEM'],
}

export const kinds: Readonly<Record<KeyUsageType, Kinds<string>>> = {
  SIGN_VERIFY: signers,
  ENCRYPT_DECRYPT: encrypters,
  GENERATE_VERIFY_MAC: authenticators,
  KEY_AGREEMENT: agreers,
  ENCAPSULATE_DECAPSULATE: encapsulators,
}

/** Typed entries of one of the tables. */
export function entriesOf<T>(table: Kinds<T>): [KeySpec, readonly T[]][] {
  return Object.entries(table) as [KeySpec, readonly T[]][]
}
