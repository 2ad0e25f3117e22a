/**
 * Kinds of KMS keys and what each may be used for. AWS's own names, all of them: what this service does not make yet
 * is still told apart from what does not exist.
 * https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 */
export const keyUsages = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const
export type KeyUsage = (typeof keyUsages)[number]

export const keySpecs = [
  'SYMMETRIC_DEFAULT',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
] as const
export type KeySpec = (typeof keySpecs)[number]

const rsa = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'] as const
const nistCurve = ['SIGN_VERIFY', 'KEY_AGREEMENT'] as const
const signing = ['SIGN_VERIFY'] as const
const mac = ['GENERATE_VERIFY_MAC'] as const
const encapsulation = ['ENCAPSULATE_DECAPSULATE'] as const

/** The usages among which the maker of a key chooses one, for good. */
export const usagesOf: Readonly<Record<KeySpec, readonly KeyUsage[]>> = {
  SYMMETRIC_DEFAULT: ['ENCRYPT_DECRYPT'],
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: nistCurve,
  ECC_NIST_P384: nistCurve,
  ECC_NIST_P521: nistCurve,
  ECC_SECG_P256K1: signing,
  ECC_NIST_EDWARDS25519: signing,
  HMAC_224: mac,
  HMAC_256: mac,
  HMAC_384: mac,
  HMAC_512: mac,
  SM2: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT'],
  ML_DSA_44: signing,
  ML_DSA_65: signing,
  ML_DSA_87: signing,
  ML_KEM_512: encapsulation,
  ML_KEM_768: encapsulation,
  ML_KEM_1024: encapsulation,
}

/** The deprecated member CustomerMasterKeySpec never learned the newer specs. */
export const customerMasterKeySpecs = [
  'SYMMETRIC_DEFAULT',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
] as const

export const origins = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const
export type Origin = (typeof origins)[number]

export const encryptionAlgorithms = [
  'SYMMETRIC_DEFAULT',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'SM2PKE',
] as const
export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number]
