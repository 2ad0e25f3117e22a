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

export const invalidMarker = () => new ServiceError('invalid-marker', 'The marker is not valid.')

export const unknownPolicyName = () => new ServiceError('not-found', 'No such policy exists')

export const duplicateTags = () => new ServiceError('tag', 'Duplicate tag keys')
export const tooManyTags = () => new ServiceError('tag', 'Too many tags')
export const reservedTag = () => new ServiceError('tag', 'Tags beginning with aws: are reserved')

export const tagQuota = (arn: string, max: number) =>
  new ServiceError('limit-exceeded', `${arn} would have more than ${max} tags.`)

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
