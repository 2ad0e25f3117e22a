import {
  type ErrorCode,
  errorCodes,
  type ServiceError,
  type SharedErrorCode,
} from '../base/errors.ts'
import { s3Errors } from '../base/s3-errors.ts'
import type { Protocol } from './protocol.ts'

/** A failure as one protocol names it. `message` is undefined where AWS sends none. */
export type WireError = {
  readonly name: string
  readonly status: number
  readonly message: string | undefined
}

/** Name and HTTP status; null where no service of that protocol has such a failure. */
type Names = {
  readonly json: readonly [name: string, status: number]
  readonly query: readonly [name: string, status: number] | null
}

/**
 * The one place where the internal vocabulary becomes AWS's.
 *
 * In AWS JSON every fault of the caller is 400, whatever the service model says (404, 409, 412): that is what KMS
 * answers. The statuses of AWS Query are those of STS and IAM.
 */
const table: Readonly<Record<SharedErrorCode, Names>> = {
  'access-denied': { json: ['AccessDeniedException', 400], query: ['AccessDenied', 403] },
  'already-exists': { json: ['AlreadyExistsException', 400], query: ['EntityAlreadyExists', 409] },
  disabled: { json: ['DisabledException', 400], query: null },
  'dry-run': { json: ['DryRunOperationException', 400], query: null },
  'expired-token': { json: ['ExpiredTokenException', 400], query: ['ExpiredToken', 403] },
  'incomplete-signature': {
    json: ['IncompleteSignatureException', 400],
    query: ['IncompleteSignature', 403],
  },
  'incorrect-key': { json: ['IncorrectKeyException', 400], query: null },
  internal: { json: ['InternalFailure', 500], query: ['InternalFailure', 500] },
  'invalid-arn': { json: ['InvalidArnException', 400], query: null },
  'invalid-ciphertext': { json: ['InvalidCiphertextException', 400], query: null },
  'invalid-event-category': { json: ['InvalidEventCategoryException', 400], query: null },
  'invalid-grant-token': { json: ['InvalidGrantTokenException', 400], query: null },
  'invalid-key-usage': { json: ['InvalidKeyUsageException', 400], query: null },
  'invalid-lookup-attributes': { json: ['InvalidLookupAttributesException', 400], query: null },
  'invalid-marker': { json: ['InvalidMarkerException', 400], query: ['ValidationError', 400] },
  'invalid-max-results': { json: ['InvalidMaxResultsException', 400], query: null },
  'invalid-next-token': { json: ['InvalidNextTokenException', 400], query: null },
  'invalid-signature': {
    json: ['InvalidSignatureException', 400],
    query: ['SignatureDoesNotMatch', 403],
  },
  'invalid-state': { json: ['KMSInvalidStateException', 400], query: null },
  'invalid-time-range': { json: ['InvalidTimeRangeException', 400], query: null },
  'key-unavailable': { json: ['KeyUnavailableException', 500], query: null },
  'limit-exceeded': { json: ['LimitExceededException', 400], query: ['LimitExceeded', 409] },
  'malformed-policy': {
    json: ['MalformedPolicyDocumentException', 400],
    query: ['MalformedPolicyDocument', 400],
  },
  'missing-authentication': {
    json: ['MissingAuthenticationTokenException', 400],
    query: ['MissingAuthenticationToken', 403],
  },
  'not-authorized': { json: ['NotAuthorizedException', 400], query: ['AccessDenied', 403] },
  'not-found': { json: ['NotFoundException', 400], query: ['NoSuchEntity', 404] },
  'request-too-large': {
    json: ['RequestEntityTooLargeException', 413],
    query: ['RequestEntityTooLarge', 413],
  },
  serialization: { json: ['SerializationException', 400], query: ['MalformedInput', 400] },
  tag: { json: ['TagException', 400], query: ['InvalidInput', 400] },
  throttled: { json: ['ThrottlingException', 400], query: ['Throttling', 400] },
  unavailable: { json: ['ServiceUnavailable', 503], query: ['ServiceUnavailable', 503] },
  'unknown-operation': { json: ['UnknownOperationException', 400], query: ['InvalidAction', 400] },
  'unrecognized-client': {
    json: ['UnrecognizedClientException', 400],
    query: ['InvalidClientTokenId', 403],
  },
  unsupported: { json: ['UnsupportedOperationException', 400], query: null },
  conflict: { json: ['ConflictException', 400], query: null },
  'custom-key-store-invalid-state': {
    json: ['CustomKeyStoreInvalidStateException', 400],
    query: null,
  },
  'custom-key-store-not-found': { json: ['CustomKeyStoreNotFoundException', 400], query: null },
  'cloud-hsm-cluster-not-found': { json: ['CloudHsmClusterNotFoundException', 400], query: null },
  'expired-import-token': { json: ['ExpiredImportTokenException', 400], query: null },
  'incorrect-key-material': { json: ['IncorrectKeyMaterialException', 400], query: null },
  'invalid-alias-name': { json: ['InvalidAliasNameException', 400], query: null },
  'invalid-grant-id': { json: ['InvalidGrantIdException', 400], query: null },
  'invalid-import-token': { json: ['InvalidImportTokenException', 400], query: null },
  'invalid-mac': { json: ['KMSInvalidMacException', 400], query: null },
  'invalid-kms-signature': { json: ['KMSInvalidSignatureException', 400], query: null },
  'xks-key-not-found': { json: ['XksKeyNotFoundException', 400], query: null },
  'xks-proxy-unreachable': { json: ['XksProxyUriUnreachableException', 400], query: null },
  // CloudTrail.
  'bucket-does-not-exist': { json: ['S3BucketDoesNotExistException', 400], query: null },
  'cloud-watch-logs-unavailable': {
    json: ['CloudWatchLogsDeliveryUnavailableException', 400],
    query: null,
  },
  'insufficient-bucket-policy': { json: ['InsufficientS3BucketPolicyException', 400], query: null },
  'insufficient-encryption-policy': {
    json: ['InsufficientEncryptionPolicyException', 400],
    query: null,
  },
  'insufficient-sns-topic-policy': {
    json: ['InsufficientSnsTopicPolicyException', 400],
    query: null,
  },
  'invalid-bucket-name': { json: ['InvalidS3BucketNameException', 400], query: null },
  'invalid-bucket-prefix': { json: ['InvalidS3PrefixException', 400], query: null },
  'invalid-event-selectors': { json: ['InvalidEventSelectorsException', 400], query: null },
  'invalid-home-region': { json: ['InvalidHomeRegionException', 400], query: null },
  'invalid-kms-key-id': { json: ['InvalidKmsKeyIdException', 400], query: null },
  'invalid-parameter-combination': {
    json: ['InvalidParameterCombinationException', 400],
    query: null,
  },
  'invalid-tag-parameter': { json: ['InvalidTagParameterException', 400], query: null },
  'invalid-token': { json: ['InvalidTokenException', 400], query: null },
  'invalid-trail-arn': { json: ['CloudTrailARNInvalidException', 400], query: null },
  'invalid-trail-name': { json: ['InvalidTrailNameException', 400], query: null },
  'kms-key-not-found': { json: ['KmsKeyNotFoundException', 400], query: null },
  'kms-key-unfit': { json: ['KmsException', 400], query: null },
  'organizations-not-in-use': { json: ['OrganizationsNotInUseException', 400], query: null },
  'resource-not-found': { json: ['ResourceNotFoundException', 400], query: null },
  'resource-type-not-supported': { json: ['ResourceTypeNotSupportedException', 400], query: null },
  'tags-limit-exceeded': { json: ['TagsLimitExceededException', 400], query: null },
  'trail-already-exists': { json: ['TrailAlreadyExistsException', 400], query: null },
  'trail-not-found': { json: ['TrailNotFoundException', 400], query: null },
  'trails-exceeded': { json: ['MaximumNumberOfTrailsExceededException', 400], query: null },
  // AWS Config.
  'config-rules-exceeded': { json: ['MaxNumberOfConfigRulesExceededException', 400], query: null },
  'delivery-channels-exceeded': {
    json: ['MaxNumberOfDeliveryChannelsExceededException', 400],
    query: null,
  },
  'invalid-expression': { json: ['InvalidExpressionException', 400], query: null },
  'invalid-limit': { json: ['InvalidLimitException', 400], query: null },
  'invalid-recorder-name': {
    json: ['InvalidConfigurationRecorderNameException', 400],
    query: null,
  },
  'invalid-recording-group': { json: ['InvalidRecordingGroupException', 400], query: null },
  'invalid-role': { json: ['InvalidRoleException', 400], query: null },
  'invalid-s3-kms-key-arn': { json: ['InvalidS3KmsKeyArnException', 400], query: null },
  'invalid-sns-topic-arn': { json: ['InvalidSNSTopicARNException', 400], query: null },
  'no-available-delivery-channel': {
    json: ['NoAvailableDeliveryChannelException', 400],
    query: null,
  },
  'no-available-recorder': {
    json: ['NoAvailableConfigurationRecorderException', 400],
    query: null,
  },
  'no-such-config-rule': { json: ['NoSuchConfigRuleException', 400], query: null },
  'no-such-delivery-channel': { json: ['NoSuchDeliveryChannelException', 400], query: null },
  'no-such-recorder': { json: ['NoSuchConfigurationRecorderException', 400], query: null },
  'recorders-exceeded': {
    json: ['MaxNumberOfConfigurationRecordersExceededException', 400],
    query: null,
  },
  'last-delivery-channel': { json: ['LastDeliveryChannelDeleteFailedException', 400], query: null },
  'resource-not-discovered': { json: ['ResourceNotDiscoveredException', 400], query: null },
  'too-many-tags': { json: ['TooManyTagsException', 400], query: null },
  // IAM and STS, which speak AWS Query alone.
  'concurrent-modification': {
    json: ['InternalFailure', 500],
    query: ['ConcurrentModification', 409],
  },
  'delete-conflict': { json: ['InternalFailure', 500], query: ['DeleteConflict', 409] },
  'entity-exists': { json: ['InternalFailure', 500], query: ['EntityAlreadyExists', 409] },
  'entity-unmodifiable': { json: ['InternalFailure', 500], query: ['UnmodifiableEntity', 400] },
  'expired-identity-token': {
    json: ['InternalFailure', 500],
    query: ['ExpiredTokenException', 400],
  },
  'idp-communication': { json: ['InternalFailure', 500], query: ['IDPCommunicationError', 400] },
  'idp-rejected-claim': { json: ['InternalFailure', 500], query: ['IDPRejectedClaim', 403] },
  'invalid-authorization-message': {
    json: ['InternalFailure', 500],
    query: ['InvalidAuthorizationMessageException', 400],
  },
  'invalid-identity-token': {
    json: ['InternalFailure', 500],
    query: ['InvalidIdentityToken', 400],
  },
  'invalid-input': { json: ['InternalFailure', 500], query: ['InvalidInput', 400] },
  'invalid-parameter-value': {
    json: ['InvalidParameterValueException', 400],
    query: ['InvalidParameterValue', 400],
  },
  'no-such-entity': { json: ['InternalFailure', 500], query: ['NoSuchEntity', 404] },
  'packed-policy-too-large': {
    json: ['InternalFailure', 500],
    query: ['PackedPolicyTooLarge', 400],
  },
  'policy-evaluation': { json: ['InternalFailure', 500], query: ['PolicyEvaluation', 500] },
  'policy-not-attachable': { json: ['InternalFailure', 500], query: ['PolicyNotAttachable', 400] },
  validation: { json: ['ValidationException', 400], query: ['ValidationError', 400] },
}

type Said = readonly [name: string, status: number, text?: string]

/**
 * What S3 calls failures that are not of S3 alone, and its own text where it has one. Those that it had of KMS stand as
 * KMS's own, behind `KMS.`.
 */
const restXml: Readonly<Partial<Record<SharedErrorCode, Said>>> = {
  'access-denied': ['AccessDenied', 403],
  'expired-token': ['ExpiredToken', 400, 'The provided token has expired.'],
  'incomplete-signature': ['AuthorizationHeaderMalformed', 400],
  'invalid-signature': ['SignatureDoesNotMatch', 403],
  'missing-authentication': ['AccessDenied', 403, 'Access Denied'],
  'not-authorized': ['AccessDenied', 403],
  'unrecognized-client': [
    'InvalidAccessKeyId',
    403,
    'The AWS Access Key Id you provided does not exist in our records.',
  ],
  internal: ['InternalError', 500, 'We encountered an internal error. Please try again.'],
  throttled: ['SlowDown', 503, 'Please reduce your request rate.'],
  unavailable: ['ServiceUnavailable', 503, 'Please reduce your request rate.'],
  'unknown-operation': ['NotImplemented', 501],
  serialization: ['MalformedXML', 400],
  validation: ['InvalidArgument', 400],
  'request-too-large': ['MaxMessageLengthExceeded', 400, 'Your request was too big.'],
}

/** KMS has a name of its own for its internal failures. */
const kmsInternal = ['KMSInternalException', 500] as const

/**
 * What the caller sees of `error`; its detail and its cause never. A failure that the protocol has no name for is a
 * defect of the operation that let it out, and is answered as an internal failure.
 */
export function wireError(
  error: ServiceError,
  protocol: Protocol['name'],
  signingName?: string,
): WireError {
  const names = namesOf(error.code, protocol, signingName)
  const [name, status, text] = names ?? internalOf(protocol)
  return { name, status, message: names === null ? text : (text ?? error.publicMessage) }
}

/** The name alone, as the record shows it. `signingName` is the service's, when the request got as far as one. */
export function wireName(
  code: ErrorCode,
  protocol: Protocol['name'],
  signingName?: string,
): string {
  return (namesOf(code, protocol, signingName) ?? internalOf(protocol))[0]
}

function internalOf(protocol: Protocol['name']): Said {
  return (protocol === 'rest-xml' ? restXml.internal : undefined) ?? table.internal.json
}

function namesOf(
  code: ErrorCode,
  protocol: Protocol['name'],
  signingName: string | undefined,
): Said | null {
  if (!isShared(code)) return protocol === 'rest-xml' ? [code, s3Errors[code][0]] : null
  if (protocol === 'rest-xml') return restXml[code] ?? kmsName(table[code].json)
  if (code === 'internal' && protocol === 'json' && signingName === 'kms') return kmsInternal
  return table[code][protocol]
}

const shared: ReadonlySet<ErrorCode> = new Set(errorCodes)

function isShared(code: ErrorCode): code is SharedErrorCode {
  return shared.has(code)
}

/** A failure that S3 had of KMS, as AWS names it in S3. */
function kmsName([name, status]: readonly [name: string, status: number]) {
  return name === table.internal.json[0] ? null : ([`KMS.${name}`, status] as const)
}
