import type { ErrorCode, ServiceError } from '../base/errors.ts'
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
const table: Readonly<Record<ErrorCode, Names>> = {
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
    json: ['InternalFailure', 500],
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
  const [name, status] = names ?? table.internal.json
  return { name, status, message: names === null ? undefined : error.publicMessage }
}

/** The name alone, as the record shows it. `signingName` is the service's, when the request got as far as one. */
export function wireName(
  code: ErrorCode,
  protocol: Protocol['name'],
  signingName?: string,
): string {
  return (namesOf(code, protocol, signingName) ?? table.internal.json)[0]
}

function namesOf(code: ErrorCode, protocol: Protocol['name'], signingName: string | undefined) {
  if (code === 'internal' && protocol === 'json' && signingName === 'kms') return kmsInternal
  return table[code][protocol]
}
