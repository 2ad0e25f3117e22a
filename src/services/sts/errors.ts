import { ServiceError } from '../../base/errors.ts'

/** The failures of STS, in its words. */
export function accessDenied(text: string): ServiceError {
  return new ServiceError('access-denied', text)
}

export function validation(text: string): ServiceError {
  return new ServiceError('validation', text)
}

export function invalidParameterValue(text: string): ServiceError {
  return new ServiceError('invalid-parameter-value', text)
}

/** There are no devices here that could have shown a code. */
function unknownMfaDevice(): ServiceError {
  return accessDenied(
    'MultiFactorAuthentication failed, unable to validate MFA code. Please verify your MFA serial number is valid and associated with this user.',
  )
}

function incompleteMfa(): ServiceError {
  return accessDenied(
    'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
  )
}

/** Refuses what says that a code was shown. */
export function refuseMfa(request: {
  readonly SerialNumber?: string | undefined
  readonly TokenCode?: string | undefined
}): void {
  const { SerialNumber, TokenCode } = request
  if (SerialNumber === undefined && TokenCode === undefined) return
  throw SerialNumber === undefined || TokenCode === undefined ? incompleteMfa() : unknownMfaDevice()
}
