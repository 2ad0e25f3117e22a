import { ServiceError } from '../base/errors.ts'

/**
 * The ways in which a web identity is refused, in AWS's words. Nobody has signed for these requests, so a text says
 * nothing of what was found at an address, or why nothing was: that is in the detail.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function invalidToken(text: string, detail?: string, cause?: unknown): ServiceError {
  return refuse('invalid-identity-token', text, detail, cause)
}

/** Neither an ID token nor anything like one. */
export function noToken(detail: string, cause?: unknown): ServiceError {
  return invalidToken(
    'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    detail,
    cause,
  )
}

export function missingClaim(claim: string): ServiceError {
  return invalidToken(`Missing a required claim: ${claim}`)
}

export function wrongAudience(detail: string): ServiceError {
  return invalidToken('Incorrect token audience', detail)
}

export function expiredToken(): ServiceError {
  return refuse('expired-identity-token', 'The web identity token that was passed is expired')
}

/** The provider answers, and what it answers is of no use. */
export function noKeys(detail: string, cause?: unknown): ServiceError {
  return invalidToken(
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    detail,
    cause,
  )
}

/** The provider could not be asked: clients try again. */
export function unreachable(detail: string, cause?: unknown): ServiceError {
  return refuse(
    'idp-communication',
    'The identity provider could not be reached, or its certificate is not trusted.',
    detail,
    cause,
  )
}

function refuse(
  code: 'expired-identity-token' | 'idp-communication' | 'invalid-identity-token',
  text: string,
  detail?: string,
  cause?: unknown,
): ServiceError {
  return new ServiceError(code, text, { ...(detail === undefined ? {} : { detail }), cause })
}
