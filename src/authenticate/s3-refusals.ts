import { ServiceError, s3Error } from '../base/errors.ts'

/**
 * How S3 words what is wrong with a signature.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function malformedHeader(text: string, members?: Readonly<Record<string, string>>) {
  return s3Error('AuthorizationHeaderMalformed', members, {
    text: `The authorization header is malformed; ${text}`,
  })
}

export function malformedQuery(text: string, members?: Readonly<Record<string, string>>) {
  return s3Error('AuthorizationQueryParametersError', members, { text })
}

export function invalidRequest(text: string): ServiceError {
  return s3Error('InvalidRequest', undefined, { text })
}

export function denied(text: string, members?: Readonly<Record<string, string>>): ServiceError {
  return new ServiceError('access-denied', text, members === undefined ? {} : { members })
}

export function unsignedHeader(name: string): ServiceError {
  return denied('There were headers present in the request which were not signed', {
    HeadersNotSigned: name,
  })
}

export const skewMaxMs = 15 * 60_000

export function tooSkewed(requestTime: string, now: number): ServiceError {
  return s3Error('RequestTimeTooSkewed', {
    RequestTime: requestTime,
    ServerTime: isoSecond(now),
    MaxAllowedSkewMilliseconds: String(skewMaxMs),
  })
}

export function expired(seconds: number, end: number, now: number): ServiceError {
  return denied('Request has expired', {
    'X-Amz-Expires': String(seconds),
    Expires: isoSecond(end),
    ServerTime: isoSecond(now),
  })
}

/** What was signed is told, so that a client can compare, unless it holds what is secret. */
export function signatureMismatch(claimed: {
  readonly accessKeyId: string
  readonly signature: string
  readonly stringToSign: string
  readonly canonicalRequest: string
}): ServiceError {
  const { accessKeyId, signature, stringToSign, canonicalRequest } = claimed
  const holdsSecret = /x-amz-security-token|encryption-customer-key/i.test(canonicalRequest)
  return new ServiceError(
    'invalid-signature',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      detail: 'signature',
      members: {
        AWSAccessKeyId: accessKeyId,
        StringToSign: stringToSign,
        SignatureProvided: signature,
        StringToSignBytes: hexOf(stringToSign),
        ...(holdsSecret
          ? {}
          : { CanonicalRequest: canonicalRequest, CanonicalRequestBytes: hexOf(canonicalRequest) }),
      },
    },
  )
}

function hexOf(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')
}

function isoSecond(at: number): string {
  return new Date(at - (at % 1000)).toISOString().replace('.000Z', 'Z')
}
