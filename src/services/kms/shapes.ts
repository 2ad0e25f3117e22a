import {
  blob,
  boolean,
  integer,
  list,
  map,
  oneOf,
  required,
  string,
  structure,
  timestamp,
} from '../../wire/schema.ts'
import { keyStates } from './key.ts'
import {
  customerMasterKeySpecs,
  encryptionAlgorithms,
  keySpecs,
  keyUsages,
  origins,
} from './key-spec.ts'

/** Shapes that several operations share, with the bounds of AWS's own model. */
export const keyId = string({ min: 1, max: 2048 })
export const aliasName = string({ min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' })
export const arn = string({ min: 20, max: 2048 })
export const keyMaterialId = string({ min: 64, max: 64, pattern: '^[a-f0-9]+$' })
export const description = string({ min: 0, max: 8192 })
export const pendingWindowInDays = integer({ min: 1, max: 365 })

export const keySpec = oneOf(...keySpecs)
export const keyUsage = oneOf(...keyUsages)
export const keyState = oneOf(...keyStates)
export const origin = oneOf(...origins)
export const customerMasterKeySpec = oneOf(...customerMasterKeySpecs)
export const encryptionAlgorithm = oneOf(...encryptionAlgorithms)
export const dataKeySpec = oneOf('AES_256', 'AES_128')
export const numberOfBytes = integer({ min: 1, max: 1024 })

export const plaintext = blob({ min: 1, max: 4096, sensitive: true })
export const ciphertext = blob({ min: 1, max: 6144 })
/** No bound in the shape, as in AWS's model: `requireBoundedContext` has it. */
export const encryptionContext = map()

export const grantTokens = list(string({ min: 1, max: 8192 }), { max: 10 })
export const dryRunModifiers = list(oneOf('IGNORE_CIPHERTEXT'))
export const recipient = structure({
  KeyEncryptionAlgorithm: oneOf('RSAES_OAEP_SHA_256'),
  AttestationDocument: blob({ min: 1, max: 262_144 }),
})

export const policy = string({
  min: 1,
  max: 131_072,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
})
export const policyName = string({ min: 1, max: 128, pattern: '[\\w]+' })

export const tagKey = string({ min: 1, max: 128 })
export const tags = list(
  structure({
    TagKey: required(tagKey),
    TagValue: required(string({ min: 0, max: 256 })),
  }),
)
/** AWS's model has no bound. A key has no more tags than this, so there are no more to remove. */
export const tagKeys = list(tagKey, { max: 50 })

export const limit = integer({ min: 1, max: 1000 })
export const marker = string({ min: 1, max: 1024, pattern: '[\\u0020-\\u00FF]*' })
/** Members of every answer that is a page of a list. */
export const paged = { NextMarker: marker, Truncated: boolean() }

/** The members of AWS's KeyMetadata that keys of this service can have. */
export const keyMetadata = structure({
  AWSAccountId: string(),
  KeyId: required(keyId),
  Arn: arn,
  CreationDate: timestamp(),
  Enabled: boolean(),
  Description: description,
  KeyUsage: keyUsage,
  KeyState: keyState,
  DeletionDate: timestamp(),
  Origin: origin,
  KeyManager: oneOf('AWS', 'CUSTOMER'),
  CustomerMasterKeySpec: customerMasterKeySpec,
  KeySpec: keySpec,
  EncryptionAlgorithms: list(encryptionAlgorithm),
  MultiRegion: boolean(),
  CurrentKeyMaterialId: keyMaterialId,
})
