import { s3Error } from '../base/errors.ts'
import type { Region } from '../base/ids.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import { parseAmzDate, type RequestTime, requestTime } from './amz-date.ts'
import { type Authorization, algorithm, parseAuthorization } from './authorization.ts'
import { canonicalQuery, objectPath } from './canonical-request.ts'
import { missingAuthentication, nonconforming } from './refusals.ts'
import { type RequestHeaders, readHeaders } from './request-headers.ts'
import {
  denied,
  expired,
  invalidRequest,
  malformedHeader,
  malformedQuery,
  skewMaxMs,
  tooSkewed,
  unsignedHeader,
} from './s3-refusals.ts'
import { canonicalHeaders, parseSignedHeaders } from './signed-headers.ts'

/** What a request to S3 says of itself; nothing of it is known to be true. */
export type S3Claim = {
  readonly authType: 'REST-HEADER' | 'REST-QUERY-STRING'
  readonly authorization: Authorization
  readonly headers: RequestHeaders
  readonly token: string | undefined
  readonly time: RequestTime
  readonly region: Region
  /** The last line of the canonical request: a hash, or what stands for one. */
  readonly contentSha256: string
  readonly canonicalRequest: string
}

const expiresMax = 7 * 24 * 60 * 60
const contentSha256Pattern = /^[0-9a-f]{64}$/
const literals = new Set([
  'UNSIGNED-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
])

/**
 * Reads the header form or the query form (presigned URLs) of Signature Version 4 as S3 has it: the path is neither
 * normalized nor encoded twice, and the payload has a name that is signed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function readS3Claim(
  request: HttpRequest,
  regions: ReadonlyMap<string, Region>,
  now: number,
): S3Claim {
  const headers = readHeaders(request.rawHeaders)
  const { path, parameters, query } = split(request.target)
  const inQuery = parameters.has('X-Amz-Algorithm') || parameters.has('X-Amz-Signature')
  if (headers.authorization !== undefined && inQuery) {
    throw s3Error('InvalidArgument', undefined, {
      text:
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter ' +
        'or the Authorization header should be specified',
    })
  }
  const claimed = inQuery
    ? inTheQuery(headers, parameters, regions, now)
    : inTheHeader(headers, parameters, regions, now)
  const { authorization, contentSha256 } = claimed
  if (!literals.has(contentSha256) && !contentSha256Pattern.test(contentSha256)) {
    throw s3Error('InvalidArgument', undefined, {
      text: 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.',
    })
  }
  const signed = parseSignedHeaders(authorization.signedHeaders)
  const lines = canonicalHeaders(headers, signed, unsignedHeader)
  const canonicalRequest =
    `${request.method}\n${objectPath(path)}\n${canonicalQuery(query)}\n` +
    `${lines}\n${authorization.signedHeaders}\n${contentSha256}`
  return { ...claimed, headers, canonicalRequest }
}

type Claimed = Omit<S3Claim, 'headers' | 'canonicalRequest'>

function inTheHeader(
  headers: RequestHeaders,
  parameters: ReadonlyMap<string, string>,
  regions: ReadonlyMap<string, Region>,
  now: number,
): Claimed {
  const header = headers.authorization
  if (header === undefined) {
    if (parameters.has('Signature')) throw unsupportedMechanism()
    throw missingAuthentication('not signed')
  }
  if (!header.startsWith(`${algorithm} `)) throw unsupportedMechanism()
  if (headers.amzDate === undefined && headers.date === undefined) {
    throw denied('AWS authentication requires a valid Date or x-amz-date header')
  }
  const authorization = parseAuthorization(header, true)
  const time = requestTime(headers.amzDate, headers.date)
  const region = regionOf(authorization, time, regions, malformedHeader)
  if (Math.abs(time.at - (now - (now % 1000))) > skewMaxMs) throw tooSkewed(time.text, now)
  if (headers.contentSha256 === undefined) {
    throw invalidRequest('Missing required header for this request: x-amz-content-sha256')
  }
  return {
    authType: 'REST-HEADER',
    authorization,
    token: headers.securityToken,
    time,
    region,
    contentSha256: headers.contentSha256,
  }
}

const queryNames = [
  ...['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-Date'],
  ...['X-Amz-SignedHeaders', 'X-Amz-Expires'],
] as const

function inTheQuery(
  headers: RequestHeaders,
  parameters: ReadonlyMap<string, string>,
  regions: ReadonlyMap<string, Region>,
  now: number,
): Claimed {
  const [scheme, credential, signature, date, signedHeaders, expires] = queryNames.map((name) =>
    parameters.get(name),
  )
  if (
    scheme === undefined ||
    credential === undefined ||
    signature === undefined ||
    date === undefined ||
    signedHeaders === undefined ||
    expires === undefined
  ) {
    throw malformedQuery(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, ' +
        'X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  if (scheme !== algorithm) throw malformedQuery(`X-Amz-Algorithm only supports "${algorithm}"`)
  const authorization = { ...credentialOf(credential), signedHeaders, signature }
  const at = parseAmzDate(date)
  if (at === undefined) {
    throw malformedQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  }
  const time = { text: date, at }
  const region = regionOf(authorization, time, regions, (text, members) =>
    malformedQuery(`Error parsing the X-Amz-Credential parameter; ${text}`, members),
  )
  const seconds = secondsOf(expires)
  const second = now - (now % 1000)
  if (at > second + skewMaxMs) throw denied('Request is not yet valid')
  if (second > at + seconds * 1000) throw expired(seconds, at + seconds * 1000, now)
  const token = parameters.get('X-Amz-Security-Token')
  if (token !== undefined && headers.securityToken !== undefined) throw nonconforming('two tokens')
  return {
    authType: 'REST-QUERY-STRING',
    authorization,
    token: token ?? headers.securityToken,
    time,
    region,
    contentSha256:
      headers.contentSha256 ?? parameters.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  }
}

function credentialOf(credential: string) {
  const [accessKeyId, date, region, service, terminator, ...more] = credential.split('/', 6)
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator === undefined ||
    more.length > 0
  ) {
    throw malformedQuery(
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting ' +
        '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    )
  }
  return { credential, accessKeyId, date, region, service, terminator }
}

function secondsOf(expires: string): number {
  if (!/^-?\d{1,12}$/.test(expires)) throw malformedQuery('X-Amz-Expires should be a number')
  const seconds = Number(expires)
  if (seconds < 0) throw malformedQuery('X-Amz-Expires must be non-negative')
  if (seconds > expiresMax) {
    throw malformedQuery(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ' +
        `${expiresMax} seconds`,
    )
  }
  return seconds
}

const echoCharsMax = 32

function regionOf(
  { region, service, date, terminator }: Omit<Authorization, 'signedHeaders' | 'signature'>,
  time: RequestTime,
  regions: ReadonlyMap<string, Region>,
  refuse: (text: string, members?: Readonly<Record<string, string>>) => Error,
): Region {
  const shown = (text: string) => `'${text.slice(0, echoCharsMax)}'`
  const served = regions.get(region)
  if (served === undefined) {
    const [expected = ''] = regions.keys()
    const text = `the region ${shown(region)} is wrong; expecting '${expected}'`
    throw refuse(text, { Region: expected })
  }
  if (service !== 's3') {
    throw refuse(`incorrect service ${shown(service)}. This endpoint belongs to "s3".`)
  }
  if (terminator !== 'aws4_request') {
    throw refuse(`incorrect terminal ${shown(terminator)}. This endpoint uses "aws4_request".`)
  }
  if (date.length !== 8 || !time.text.startsWith(date)) {
    throw refuse(`Invalid credential date ${shown(date)}. This date is not the same as X-Amz-Date.`)
  }
  return served
}

function unsupportedMechanism() {
  return invalidRequest(
    `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
  )
}

/** The query without the signature, which cannot sign itself, and the parameters that signing looks at. */
function split(target: string) {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const parameters = new Map<string, string>()
  const kept: string[] = []
  for (const pair of mark < 0 ? [] : target.slice(mark + 1).split('&')) {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    if (name !== 'X-Amz-Signature') kept.push(pair)
    if (!name.startsWith('X-Amz-') && name !== 'Signature') continue
    if (parameters.has(name)) throw malformedQuery(`${name} stands twice`)
    parameters.set(name, decoded(equals < 0 ? '' : pair.slice(equals + 1)))
  }
  return { path, parameters, query: kept.join('&') }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw malformedQuery('a parameter that is no text')
  }
}
