import { type S3ErrorCode, s3Errors } from './s3-errors.ts'

/**
 * The internal vocabulary of failures. What a caller sees is made of it in one place, `wire/errors.ts`.
 *
 * `message` is the public text, already in AWS's words; `undefined` means that AWS sends none.
 * `detail` is for the operator's log and is never sent.
 */
export const errorCodes = [
  'access-denied',
  'already-exists',
  'bucket-does-not-exist',
  'cloud-hsm-cluster-not-found',
  'cloud-watch-logs-unavailable',
  'concurrent-modification',
  'config-rules-exceeded',
  'conflict',
  'custom-key-store-invalid-state',
  'custom-key-store-not-found',
  'delete-conflict',
  'delivery-channels-exceeded',
  'disabled',
  'dry-run',
  'entity-exists',
  'entity-unmodifiable',
  'expired-identity-token',
  'expired-import-token',
  'expired-token',
  'idp-communication',
  'idp-rejected-claim',
  'incomplete-signature',
  'incorrect-key',
  'incorrect-key-material',
  'insufficient-bucket-policy',
  'insufficient-encryption-policy',
  'insufficient-sns-topic-policy',
  'internal',
  'invalid-alias-name',
  'invalid-arn',
  'invalid-authorization-message',
  'invalid-bucket-name',
  'invalid-bucket-prefix',
  'invalid-ciphertext',
  'invalid-event-category',
  'invalid-event-selectors',
  'invalid-expression',
  'invalid-grant-id',
  'invalid-grant-token',
  'invalid-home-region',
  'invalid-identity-token',
  'invalid-import-token',
  'invalid-input',
  'invalid-key-usage',
  'invalid-kms-key-id',
  'invalid-kms-signature',
  'invalid-limit',
  'invalid-lookup-attributes',
  'invalid-mac',
  'invalid-marker',
  'invalid-max-results',
  'invalid-next-token',
  'invalid-parameter-combination',
  'invalid-parameter-value',
  'invalid-recorder-name',
  'invalid-recording-group',
  'invalid-role',
  'invalid-s3-kms-key-arn',
  'invalid-signature',
  'invalid-sns-topic-arn',
  'invalid-state',
  'invalid-tag-parameter',
  'invalid-time-range',
  'invalid-token',
  'invalid-trail-arn',
  'invalid-trail-name',
  'key-unavailable',
  'kms-key-not-found',
  'kms-key-unfit',
  'last-delivery-channel',
  'limit-exceeded',
  'malformed-policy',
  'missing-authentication',
  'no-available-delivery-channel',
  'no-available-recorder',
  'no-such-config-rule',
  'no-such-delivery-channel',
  'no-such-recorder',
  'not-authorized',
  'no-such-entity',
  'not-found',
  'organizations-not-in-use',
  'packed-policy-too-large',
  'policy-evaluation',
  'policy-not-attachable',
  'recorders-exceeded',
  'request-too-large',
  'resource-not-discovered',
  'resource-not-found',
  'resource-type-not-supported',
  'serialization',
  'tag',
  'tags-limit-exceeded',
  'throttled',
  'too-many-tags',
  'trail-already-exists',
  'trail-not-found',
  'trails-exceeded',
  'unavailable',
  'unknown-operation',
  'unrecognized-client',
  'unsupported',
  'validation',
  'xks-key-not-found',
  'xks-proxy-unreachable',
] as const

/** What more than one protocol can say. */
export type SharedErrorCode = (typeof errorCodes)[number]
export type ErrorCode = SharedErrorCode | S3ErrorCode

export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  /** The text that a caller may see, or undefined where AWS sends no message. */
  readonly publicMessage: string | undefined
  /** For the operator only. */
  readonly detail: string | undefined
  /** What S3 tells beside the text, by the names of its XML elements. */
  readonly members: ErrorMembers | undefined
  /** What S3 says in headers of the answer. */
  readonly headers: ErrorMembers | undefined

  constructor(
    code: ErrorCode,
    publicMessage?: string,
    options?: {
      detail?: string
      cause?: unknown
      members?: ErrorMembers
      headers?: ErrorMembers | undefined
    },
  ) {
    super(
      publicMessage ?? code,
      options?.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.publicMessage = publicMessage
    this.detail = options?.detail
    this.members = options?.members
    this.headers = options?.headers
  }
}

export type ErrorMembers = Readonly<Record<string, string>>

/** A failure of S3, in the words that AWS always has for it. */
export function s3Error(
  code: S3ErrorCode,
  members?: ErrorMembers,
  options?: { readonly text?: string; readonly detail?: string; readonly headers?: ErrorMembers },
): ServiceError {
  return new ServiceError(code, options?.text ?? s3Errors[code][1], {
    headers: options?.headers,
    ...(members === undefined ? {} : { members }),
    ...(options?.detail === undefined ? {} : { detail: options.detail }),
  })
}

/** A failure of our own. The caller learns nothing but that it happened. */
export function internalError(detail: string, cause?: unknown): ServiceError {
  return new ServiceError('internal', undefined, { detail, cause })
}
