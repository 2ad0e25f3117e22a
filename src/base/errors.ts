/**
 * The internal vocabulary of failures. What a caller sees is made of it in one place, `wire/errors.ts`.
 *
 * `message` is the public text, already in AWS's words; `undefined` means that AWS sends none.
 * `detail` is for the operator's log and is never sent.
 */
export const errorCodes = [
  'access-denied',
  'already-exists',
  'cloud-hsm-cluster-not-found',
  'concurrent-modification',
  'conflict',
  'custom-key-store-invalid-state',
  'custom-key-store-not-found',
  'delete-conflict',
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
  'internal',
  'invalid-alias-name',
  'invalid-arn',
  'invalid-authorization-message',
  'invalid-ciphertext',
  'invalid-event-category',
  'invalid-grant-id',
  'invalid-grant-token',
  'invalid-identity-token',
  'invalid-import-token',
  'invalid-input',
  'invalid-key-usage',
  'invalid-kms-signature',
  'invalid-lookup-attributes',
  'invalid-mac',
  'invalid-marker',
  'invalid-max-results',
  'invalid-next-token',
  'invalid-parameter-value',
  'invalid-signature',
  'invalid-state',
  'invalid-time-range',
  'key-unavailable',
  'limit-exceeded',
  'malformed-policy',
  'missing-authentication',
  'not-authorized',
  'no-such-entity',
  'not-found',
  'packed-policy-too-large',
  'policy-evaluation',
  'policy-not-attachable',
  'request-too-large',
  'serialization',
  'tag',
  'throttled',
  'unavailable',
  'unknown-operation',
  'unrecognized-client',
  'unsupported',
  'validation',
  'xks-key-not-found',
  'xks-proxy-unreachable',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  /** The text that a caller may see, or undefined where AWS sends no message. */
  readonly publicMessage: string | undefined
  /** For the operator only. */
  readonly detail: string | undefined

  constructor(
    code: ErrorCode,
    publicMessage?: string,
    options?: { detail?: string; cause?: unknown },
  ) {
    super(
      publicMessage ?? code,
      options?.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.publicMessage = publicMessage
    this.detail = options?.detail
  }
}

/** A failure of our own. The caller learns nothing but that it happened. */
export function internalError(detail: string, cause?: unknown): ServiceError {
  return new ServiceError('internal', undefined, { detail, cause })
}
