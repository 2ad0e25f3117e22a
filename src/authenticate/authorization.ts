import { digestOf, incompleteSignature, nonconforming } from './refusals.ts'

/** What an Authorization header claims; nothing of it is believed yet. */
export type Authorization = {
  /** The Credential parameter as sent: `accessKeyId/date/region/service/terminator`. */
  readonly credential: string
  readonly accessKeyId: string
  /** `YYYYMMDD`, unless the client is wrong. */
  readonly date: string
  readonly region: string
  readonly service: string
  readonly terminator: string
  /** The SignedHeaders parameter as sent. */
  readonly signedHeaders: string
  readonly signature: string
}

export const algorithm = 'AWS4-HMAC-SHA256'

const headerCharsMax = 8192
const echoCharsMax = 32
const parameterNames = ['Credential', 'Signature', 'SignedHeaders'] as const
type ParameterName = (typeof parameterNames)[number]

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; `dated` says whether the request has a date,
 * which AWS asks for in the same sentence. Throws 'incomplete-signature', finding faults in AWS's order: pairs,
 * parameters, algorithm, elements of the credential.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 */
export function parseAuthorization(header: string, dated: boolean): Authorization {
  if (header.length > headerCharsMax) throw nonconforming('Authorization header too long')
  const space = header.indexOf(' ')
  const parameters = parseParameters(header, space < 0 ? header.length : space + 1)
  const { Credential: credential, Signature: signature, SignedHeaders: signedHeaders } = parameters
  if (
    credential === undefined ||
    signature === undefined ||
    signedHeaders === undefined ||
    !dated
  ) {
    throw incompleteSignature(missingText(header, parameters, dated))
  }
  const scheme = space < 0 ? header : header.slice(0, space)
  if (scheme !== algorithm) {
    const shown = scheme.slice(0, echoCharsMax)
    throw incompleteSignature(
      `Unsupported AWS 'algorithm': '${shown}' (only ${algorithm} for now). `,
    )
  }
  return { ...parseCredential(credential), signedHeaders, signature }
}

const signatureName = 'Signature='
const signatureChars = 64
const cachedClaimsMax = 1024

/**
 * Headers that were read, by all but their signature: a client sends the same beginning all day. Bounded; emptied when
 * full. What is found this way is what reading the whole header would give.
 */
export class AuthorizationCache {
  readonly #claims = new Map<string, Authorization>()

  get size(): number {
    return this.#claims.size
  }

  /** As `parseAuthorization`. */
  read(header: string, dated: boolean): Authorization {
    const start = header.length - signatureChars
    const inUsualForm = dated && header.startsWith(signatureName, start - signatureName.length)
    if (!inUsualForm || header.includes(',', start)) return parseAuthorization(header, dated)
    const beginning = header.slice(0, start)
    const known = this.#claims.get(beginning)
    const signature = header.slice(start)
    if (known !== undefined && signature.trim() === signature)
      return withSignature(known, signature)
    const own = ownText(header)
    const authorization = parseAuthorization(own, dated)
    if (this.#claims.size >= cachedClaimsMax) this.#claims.clear()
    this.#claims.set(own.slice(0, start), authorization)
    return authorization
  }
}

/**
 * The same text in memory of its own: a part of a head is a view of all of it, so what is kept of one request would
 * keep its whole head. As UTF-8, which unlike Latin-1 never makes one character of another.
 */
function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

function withSignature(claim: Authorization, signature: string): Authorization {
  const { credential, accessKeyId, date, region, service, terminator, signedHeaders } = claim
  return { credential, accessKeyId, date, region, service, terminator, signedHeaders, signature }
}

type Parameters = Partial<Record<ParameterName, string>>

function parseParameters(header: string, start: number): Parameters {
  const parameters: Parameters = {}
  for (let from = start; from < header.length; ) {
    const comma = header.indexOf(',', from)
    const end = comma < 0 ? header.length : comma
    const pair = header.slice(from, end).trim()
    const equals = pair.indexOf('=')
    if (equals < 0) throw incompleteSignature(unpairedText(header))
    const name = pair.slice(0, equals)
    if (name !== 'Credential' && name !== 'Signature' && name !== 'SignedHeaders') {
      throw nonconforming('unknown parameter in the Authorization header')
    }
    if (parameters[name] !== undefined) throw nonconforming(`${name} stands twice`)
    parameters[name] = pair.slice(equals + 1)
    from = end + 1
  }
  return parameters
}

function parseCredential(credential: string) {
  const parts = credential.split('/', 6)
  const [accessKeyId, date, region, service, terminator] = parts
  if (
    parts.length !== 5 ||
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator === undefined
  ) {
    // AWS adds what it got. A client that swapped id and secret would find its secret there.
    throw incompleteSignature(
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term',
    )
  }
  return { credential, accessKeyId, date, region, service, terminator }
}

function unpairedText(header: string): string {
  return (
    'Invalid key=value pair (missing equal-sign) in Authorization header ' +
    `(hashed with SHA-256 and encoded with Base64): '${digestOf(header)}'.`
  )
}

function missingText(header: string, parameters: Parameters, dated: boolean): string {
  let text = ''
  for (const name of parameterNames) {
    if (parameters[name] === undefined)
      text += `Authorization header requires '${name}' parameter. `
  }
  if (!dated) {
    text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
  }
  return `${text}(Hashed with SHA-256 and encoded with Base64) Authorization=${digestOf(header)}`
}
