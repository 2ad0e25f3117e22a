import { keyUsages, macAlgorithms, messageTypes } from '../../hsm/key-specs.ts'
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
import { grantOperations } from './grant.ts'
import { keyStates } from './key.ts'
import {
  customerMasterKeySpecs,
  dataKeyPairSpecs,
  encryptionAlgorithms,
  keySpecs,
  origins,
  signingAlgorithms,
  wrappingAlgorithms,
  wrappingKeySpecs,
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
export const signingAlgorithm = oneOf(...signingAlgorithms)
export const macAlgorithm = oneOf(...macAlgorithms)
export const keyAgreementAlgorithm = oneOf('ECDH')
export const encapsulationAlgorithm = oneOf('ML_KEM')
export const messageType = oneOf(...messageTypes)
export const dataKeyPairSpec = oneOf(...dataKeyPairSpecs)
export const wrappingKeySpec = oneOf(...wrappingKeySpecs)
export const wrappingAlgorithm = oneOf(...wrappingAlgorithms)
export const expirationModel = oneOf('KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE')
export const importType = oneOf('NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL')
/** Sealed by the key core, which alone can read it. */
export const importToken = blob({ min: 1, max: 6144 })
export const keyMaterialDescription = string({
  min: 0,
  max: 256,
  pattern: '^[a-zA-Z0-9:/_\\s.-]+$',
})
export const rotationPeriodInDays = integer({ min: 90, max: 2560 })
export const region = string({ min: 1, max: 32, pattern: '^([a-z]+-){2,3}\\d+$' })
/** A message to be signed or authenticated. */
export const message = blob({ min: 1, max: 4096, sensitive: true })
/** A signature or a MAC. */
export const proof = blob({ min: 1, max: 6144 })
export const publicKey = blob({ min: 1, max: 8192 })
export const sharedSecret = blob({ min: 1, max: 4096, sensitive: true })
export const principal = string({ min: 1, max: 256, pattern: '^[\\w+=,.@:/-]+$' })
export const servicePrincipal = string({
  min: 1,
  max: 128,
  pattern: '^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$',
})
export const grantId = string({ min: 1, max: 128 })
export const grantToken = string({ min: 1, max: 8192 })
export const grantName = string({ min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' })
export const grantOperation = oneOf(...grantOperations)
export const customKeyStoreId = string({ min: 1, max: 64 })

export const dataKeySpec = oneOf('AES_256', 'AES_128')
export const numberOfBytes = integer({ min: 1, max: 1024 })

export const plaintext = blob({ min: 1, max: 4096, sensitive: true })
export const ciphertext = blob({ min: 1, max: 6144 })
/** No bound in the shape, as in AWS's model: `requireBoundedContext` has it. */
export const encryptionContext = map()

export const grantTokens = list(grantToken, { max: 10 })
export const grantConstraints = structure({
  EncryptionContextSubset: encryptionContext,
  EncryptionContextEquals: encryptionContext,
  SourceArn: string({
    min: 20,
    max: 512,
    pattern: '^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$',
  }),
})
/** AWS's GrantListEntry. */
export const grants = list(
  structure({
    KeyId: keyId,
    GrantId: grantId,
    Name: string({ min: 0, max: 256 }),
    CreationDate: timestamp(),
    GranteePrincipal: principal,
    RetiringPrincipal: principal,
    IssuingAccount: principal,
    Operations: list(grantOperation),
    Constraints: grantConstraints,
    GranteeServicePrincipal: servicePrincipal,
    RetiringServicePrincipal: servicePrincipal,
  }),
)
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

const regionalKey = structure({ Arn: arn, Region: region })

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
  SigningAlgorithms: list(signingAlgorithm),
  KeyAgreementAlgorithms: list(keyAgreementAlgorithm),
  MacAlgorithms: list(macAlgorithm),
  EncapsulationAlgorithms: list(encapsulationAlgorithm),
  ValidTo: timestamp(),
  ExpirationModel: expirationModel,
  MultiRegion: boolean(),
  MultiRegionConfiguration: structure({
    MultiRegionKeyType: oneOf('PRIMARY', 'REPLICA'),
    PrimaryKey: regionalKey,
    ReplicaKeys: list(regionalKey),
  }),
  PendingDeletionWindowInDays: pendingWindowInDays,
  CurrentKeyMaterialId: keyMaterialId,
})
