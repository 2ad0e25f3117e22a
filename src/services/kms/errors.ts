import { unknownResourceDenial } from '../../authorize/denial.ts'
import { ServiceError } from '../../base/errors.ts'
import type { CallContext } from '../operation.ts'

/**
 * The failures of KMS, named for the situation, with the texts that AWS sends. Where AWS's text is not known the
 * sentence is our own. Clients look for "does not exist" and "is not authorized to perform" in them.
 */
export const unknownKey = (arn: string) =>
  new ServiceError('not-found', `Key '${arn}' does not exist`)

export const invalidKeyId = (text: string) =>
  new ServiceError('not-found', `Invalid keyId '${text}'`)

/** `what` is the foreign Region of an ARN that is otherwise good, or the whole text of one that is not. */
export const invalidArn = (what: string, code: 'not-found' | 'invalid-arn') =>
  new ServiceError(code, `Invalid arn ${what}`)

export const unknownAlias = (arn: string) =>
  new ServiceError('not-found', `Alias ${arn} is not found.`)

/**
 * For whatever belongs to another account or to nobody: one text for "is not there" and "you may not", so that
 * nothing is learned about other accounts.
 */
export const absentOrDenied = (call: CallContext, permission: string) =>
  new ServiceError('access-denied', unknownResourceDenial(call.caller, permission))

export const aliasExists = (arn: string) =>
  new ServiceError('already-exists', `An alias with the name ${arn} already exists`)

export const aliasWithoutPrefix = () =>
  validation(
    'Alias must start with the prefix "alias/". Please see ' +
      'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  )

export const aliasCharacters = (name: string) =>
  validation(`${name} contains invalid characters for an alias`)

/** Names below `alias/aws/` are AWS's own. */
export const aliasReserved = () => new ServiceError('not-authorized')

export const aliasOfAlias = () => validation('Aliases must refer to keys. Not aliases')

/** `of` is that in which the two keys differ, as in `key usage`; AWS's text is known for usages alone. */
export const aliasOfOtherKind = (arn: string, of: string, from: string, to: string) =>
  validation(
    `Alias ${arn} cannot be changed from a CMK with ${of} ${from} to a CMK with ${of} ${to}`,
  )

export const incompatibleAlgorithm = (algorithm: string, keySpec: string) =>
  new ServiceError(
    'invalid-key-usage',
    `Algorithm ${algorithm} is incompatible with key spec ${keySpec}.`,
  )

export const usageNotOfSpec = (usage: string, keySpec: string) =>
  validation(`KeyUsage ${usage} is not compatible with KeySpec ${keySpec}`)

export const usageMissing = () =>
  validation(
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
  )

export const bothKeySpecs = () =>
  validation(
    'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
  )

export const eitherSizeOrSpec = () =>
  validation('Please specify either number of bytes or key spec.')

export const numberOfBytesMissing = () => validation('NumberOfBytes is required.')

export const pendingWindowOutOfRange = () =>
  validation('PendingWindowInDays must be between 7 and 30')

/** `path` in lowerCamel, as in `ciphertextBlob`. */
export const missingMember = (path: string) =>
  validation(
    `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  )

export const modifiersWithoutDryRun = () =>
  validation('DryRunModifiers can be used only when the DryRun option is set.')

export const incorrectKey = () =>
  new ServiceError(
    'incorrect-key',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )

/** AWS says nothing of why, so no oracle is built by accident. */
export const invalidCiphertext = () => new ServiceError('invalid-ciphertext')

export const dryRunSucceeded = () =>
  new ServiceError('dry-run', 'The request would have succeeded, but the DryRun option is set.')

export const invalidGrantToken = () =>
  new ServiceError('invalid-grant-token', 'The specified grant token is not valid.')

export const invalidGrantId = () =>
  new ServiceError('invalid-grant-id', 'The specified grant ID is not valid.')

/** Our own text. */
export const unknownGrant = (grantId: string) =>
  new ServiceError('not-found', `Grant ID ${grantId} not found`)

/** https://github.com/hashicorp/terraform-provider-aws/issues/4633 shows AWS's text. */
export const invalidPrincipal = (arn: string) =>
  new ServiceError('invalid-arn', `ARN does not refer to a valid principal: ${arn}`)

/** https://github.com/ansible/ansible/pull/31960 shows AWS's text. */
export const onlyCreateGrant = () =>
  validation('Grants must not contain only the CreateGrant operation.')

// AWS's texts for the rest of what can be wrong with a grant are not known.

export const grantOperationsMissing = () => validation('Grants must contain an operation.')

export const unsupportedGrantOperation = (arn: string, operation: string) =>
  validation(`${arn} does not support the grant operation ${operation}.`)

export const eitherGrantee = () =>
  validation('Specify either GranteePrincipal or GranteeServicePrincipal, and not both.')

export const eitherRetiring = () =>
  validation('RetiringPrincipal and RetiringServicePrincipal cannot both be specified.')

export const eitherRetiringOfList = () =>
  validation('Specify either RetiringPrincipal or RetiringServicePrincipal, and not both.')

export const serviceGranteeBounds = () =>
  validation(
    'A GranteeServicePrincipal needs a SourceArn constraint and a RetiringPrincipal or RetiringServicePrincipal.',
  )

export const eitherConstraint = () =>
  validation('Specify either EncryptionContextEquals or EncryptionContextSubset, and not both.')

/** `what` is said of the constraint, as in `can include up to 8 encryption context pairs`. */
export const invalidConstraint = (what: string) => validation(`A grant constraint ${what}.`)

export const constraintOfSymmetric = (arn: string) =>
  validation(`${arn} is no symmetric encryption key: no encryption context can constrain a grant.`)

export const forServicesAlone = (member: string) =>
  validation(`${member} can be specified by services alone.`)

export const tokenOrId = () => validation('Specify either GrantToken, or KeyId and GrantId.')

export const grantQuota = (arn: string, max: number) =>
  new ServiceError('limit-exceeded', `${arn} has ${max} grants, its quota.`)

/** AWS sends no text with either. */
export const invalidSignature = () => new ServiceError('invalid-kms-signature')
export const invalidMac = () => new ServiceError('invalid-mac')

/** `usage` is what the key is for, `operation` what was asked of it. */
export const wrongUsage = (arn: string, usage: string, operation: string) =>
  new ServiceError(
    'invalid-key-usage',
    `${arn} key usage is ${usage} which is not valid for ${operation}.`,
  )

export const wrongOrigin = (arn: string, origin: string) =>
  new ServiceError(
    'unsupported',
    `${arn} origin is ${origin} which is not valid for this operation.`,
  )

/** For kinds of keys that an operation is not for: AWS sends no text. */
export const unsupportedKind = () => new ServiceError('unsupported')

export const notPrimary = (arn: string) =>
  new ServiceError('unsupported', `${arn} is not a multi-region primary key.`)

export const replicaExists = (arn: string) =>
  new ServiceError('already-exists', `${arn} already exists.`)

export const sameRegion = (region: string) =>
  validation(`${region} is the Region of the primary key already.`)

export const unservedRegion = (region: string) =>
  validation(`${region} is not a Region of this deployment.`)

export const validToMissing = () =>
  validation('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES')

/** AWS's text for this one and the next four is not known. */
export const validToNotWanted = () =>
  validation(
    'A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
  )

export const validToOutOfRange = () =>
  validation('The validTo date must be in the future, and at most 365 days away')

export const notOfSymmetricKeys = (member: string) =>
  new ServiceError('unsupported', `${member} is valid for symmetric encryption keys only.`)

export const newMaterialWithId = () =>
  validation('KeyMaterialId is not valid when the ImportType is NEW_KEY_MATERIAL.')

export const otherMaterialPending = (arn: string, materialId: string, pendingId: string) =>
  new ServiceError(
    'invalid-state',
    `New key material (id: ${materialId}) cannot be imported into KMS key ${arn}, ` +
      `because another key material (id: ${pendingId}) is pending rotation.`,
  )

/** The text is our own; it says nothing of the material. */
export const incorrectKeyMaterial = (why: string) => new ServiceError('incorrect-key-material', why)

export const unknownMaterial = (arn: string, materialId: string) =>
  new ServiceError('not-found', `Key material ${materialId} is not associated with ${arn}.`)

export const wrappingNotOfSpec = (algorithm: string, wrappingSpec: string, keySpec: string) =>
  new ServiceError(
    'unsupported',
    `Wrapping algorithm ${algorithm} and wrapping key spec ${wrappingSpec} cannot be used for key spec ${keySpec}.`,
  )

export const nothingToRotate = (arn: string) =>
  new ServiceError(
    'invalid-state',
    `No available key material pending rotation for the key: ${arn}.`,
  )

export const rotationQuota = (arn: string) =>
  new ServiceError(
    'limit-exceeded',
    'The on-demand rotations limit has been reached for the given keyId. ' +
      `No more on-demand rotations can be performed for this key: ${arn}`,
  )

export const rotationNear = (arn: string) =>
  new ServiceError(
    'conflict',
    `An automatic rotation of ${arn} is in progress or begins within the next 20 minutes.`,
  )

export const digestLength = (algorithm: string) =>
  validation(`Digest is invalid length for algorithm ${algorithm}.`)

export const tooLongToEncrypt = (algorithm: string, keySpec: string, max: number) =>
  validation(
    `Algorithm ${algorithm} and key spec ${keySpec} cannot encrypt data larger than ${max} bytes.`,
  )

/** AWS's text for this one and the next two is not known. */
export const incompatibleMessageType = (messageType: string, algorithm: string) =>
  validation(`MessageType ${messageType} is not valid for algorithm ${algorithm}.`)

export const contextOfAsymmetric = (keySpec: string) =>
  validation(`EncryptionContext is not valid for key spec ${keySpec}.`)

export const originNotOfSpec = (origin: string, keySpec: string) =>
  new ServiceError('unsupported', `Origin ${origin} is not valid for KeySpec ${keySpec}.`)

/** AWS sends a text without a letter. */
export const invalidPublicKey = () => validation('')

/** A key that waits for its first material has no public half either. */
export const noPublicKeyYet = (arn: string) =>
  new ServiceError('invalid-state', `${arn} is pending import.`)

export const invalidMarker = () => new ServiceError('invalid-marker', 'The marker is not valid.')

export const unknownPolicyName = () => new ServiceError('not-found', 'No such policy exists')

export const duplicateTags = () => new ServiceError('tag', 'Duplicate tag keys')
export const tooManyTags = () => new ServiceError('tag', 'Too many tags')
export const reservedTag = () => new ServiceError('tag', 'Tags beginning with aws: are reserved')

export const tagQuota = (arn: string, max: number) =>
  new ServiceError('limit-exceeded', `${arn} would have more than ${max} tags.`)

export const policyQuota = (max: number) =>
  new ServiceError('limit-exceeded', `A key policy can have at most ${max} bytes.`)

export const keyQuota = (account: string, max: number) =>
  new ServiceError(
    'limit-exceeded',
    `Account ${account} has ${max} KMS keys in this Region, its quota.`,
  )

export const aliasQuota = (arn: string, max: number) =>
  new ServiceError('limit-exceeded', `${arn} has ${max} aliases, its quota.`)

/** Valid for AWS, not built here: refused, never ignored. */
export const unsupported = (what: string) =>
  new ServiceError('unsupported', `${what} not supported.`)

export const validation = (text: string) => new ServiceError('validation', text)
