/**
 * Enumerations of the wire that have more members than there are kinds of keys here (`hsm/key-specs.ts`): what this
 * service does not make is still told apart from what does not exist.
 */
import {
  dataKeyPairSpecs as madeDataKeyPairSpecs,
  encryptionAlgorithms as madeEncryptionAlgorithms,
  keySpecs as madeKeySpecs,
  signingAlgorithms as madeSigningAlgorithms,
  wrappingAlgorithms as madeWrappingAlgorithms,
  wrappingKeySpecs as madeWrappingKeySpecs,
} from '../../hsm/key-specs.ts'

/** SM2 exists in AWS's Chinese Regions only. */
export const keySpecs = [...madeKeySpecs, 'SM2'] as const
export const dataKeyPairSpecs = [...madeDataKeyPairSpecs, 'SM2'] as const
export const encryptionAlgorithms = [...madeEncryptionAlgorithms, 'SM2PKE'] as const
export const signingAlgorithms = [...madeSigningAlgorithms, 'SM2DSA'] as const
export const wrappingKeySpecs = [...madeWrappingKeySpecs, 'SM2'] as const
/** AWS stopped taking RSAES_PKCS1_V1_5 in 2023, and still knows its name. */
export const wrappingAlgorithms = ['RSAES_PKCS1_V1_5', ...madeWrappingAlgorithms, 'SM2PKE'] as const

/** The deprecated member CustomerMasterKeySpec never learned the newer specs. */
export const customerMasterKeySpecs = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SYMMETRIC_DEFAULT',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
] as const

export const origins = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const
export type Origin = (typeof origins)[number]
