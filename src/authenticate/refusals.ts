import { hash } from 'node:crypto'
import { type ErrorCode, ServiceError } from '../base/errors.ts'

/**
 * The ways in which a request fails to say who it comes from, in AWS's words.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
 *
 * Where AWS shows a value that may hold a secret by mistake (the header of another scheme, an access key id and a
 * secret that were swapped), the text shows its SHA-256 digest, as AWS itself does for the header, or leaves it out.
 */
const mismatchText =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
  'and signing method. Consult the service documentation for details.'

/** Every difference between what was signed and what arrived. `detail` says which, to the operator alone. */
export function mismatch(detail: string): ServiceError {
  return new ServiceError('invalid-signature', mismatchText, { detail })
}

export function invalidSignature(text: string, detail?: string): ServiceError {
  return refuse('invalid-signature', text, detail)
}

export function incompleteSignature(text: string, detail?: string): ServiceError {
  return refuse('incomplete-signature', text, detail)
}

/** Something that no signer writes and that could be read in two ways. */
export function nonconforming(detail: string): ServiceError {
  return incompleteSignature('The request signature does not conform to AWS standards.', detail)
}

export function missingAuthentication(detail: string): ServiceError {
  return refuse('missing-authentication', 'Missing Authentication Token', detail)
}

/** One text for an unknown, an inactive and a deleted access key, and for a token that is not that key's. */
export function unrecognizedClient(detail: string): ServiceError {
  return refuse(
    'unrecognized-client',
    'The security token included in the request is invalid.',
    detail,
  )
}

export function expiredToken(): ServiceError {
  return refuse('expired-token', 'The security token included in the request is expired')
}

/** SHA-256 in Base64: how AWS shows an Authorization header that it could not read. */
export function digestOf(header: string): string {
  return hash('sha256', header, 'base64')
}

function refuse(code: ErrorCode, text: string, detail?: string): ServiceError {
  return new ServiceError(code, text, detail === undefined ? undefined : { detail })
}
