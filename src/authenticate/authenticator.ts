import { hash } from 'node:crypto'
import type { Caller } from '../base/caller.ts'
import type { Clock } from '../base/clock.ts'
import { ServiceError } from '../base/errors.ts'
import { parseRegion, type Region } from '../base/ids.ts'
import type { SigningScope } from '../hsm/port.ts'
import type { HttpRequest, SignedBody } from '../wire/protocol.ts'
import { checkWindow, type RequestTime, requestTime } from './amz-date.ts'
import { type Authorization, AuthorizationCache, algorithm } from './authorization.ts'
import { canonicalRequestHash } from './canonical-request.ts'
import type { CredentialRecord } from './credentials.ts'
import {
  expiredToken,
  invalidSignature,
  mismatch,
  missingAuthentication,
  unrecognizedClient,
} from './refusals.ts'
import { type RequestHeaders, readHeaders } from './request-headers.ts'
import { readS3Claim, type S3Claim } from './s3-claim.ts'
import { type ChunkSeal, S3Payload } from './s3-payload.ts'
import { signatureMismatch } from './s3-refusals.ts'
import { Scopes } from './scope.ts'
import { canonicalHeaders, SignedHeadersCache } from './signed-headers.ts'
import type { SigningKey } from './signing-key.ts'
import { SigningKeys } from './signing-keys.ts'

/** Who a request comes from, once its signature is known to be right. */
export type Authenticated = {
  readonly caller: Caller
  /** The Region of the credential scope. */
  readonly region: Region
  /** The service of the credential scope: `kms`. */
  readonly service: string
  readonly accessKeyId: string
  /** Of a request to S3: its body, which is as it was signed if it can be read to its end. */
  readonly body?: SignedBody
  /** Of a request to S3: why its body cannot be read, in place of it. */
  readonly refusal?: ServiceError
  /** Condition keys that tell how the request was signed. */
  readonly conditions?: Readonly<Record<string, string>>
}

/** The access key of a session, which ends by itself. */
export type SessionRecord = CredentialRecord & {
  /** ms since the epoch */
  readonly expiresAt: number
}

export type AuthenticatorOptions = {
  /** The record of a long-term access key as it is now. Looked at on every request. */
  readonly credential: (accessKeyId: string) => CredentialRecord | undefined
  /**
   * The record of a session's access key, where there are sessions: found only with the token that belongs to it, and
   * at once when the token is known. Looked at on every request.
   */
  readonly session?: (
    accessKeyId: string,
    token: string,
  ) => SessionRecord | undefined | Promise<SessionRecord | undefined>
  /** The answered buffer is taken over and wiped. */
  readonly signingKey: (scope: SigningScope) => Promise<Buffer>
  readonly clock: Clock
  readonly regions: ReadonlySet<string>
  /** Signing names: `kms`. */
  readonly services: ReadonlySet<string>
  /** How far the client's clock may be off, either way: 15 minutes for STS and IAM, 5 for others. */
  readonly windowMs?: number
  readonly signingKeysMax?: number
  /** Whether dot segments and empty segments of the path are removed before it is compared. S3 does not. */
  readonly normalizePath?: boolean
}

const defaults = { signingKeysMax: 10_000, normalizePath: true }
const windowMs = 5 * 60_000
const windowMsOf: Readonly<Record<string, number | undefined>> = {
  sts: 15 * 60_000,
  iam: 15 * 60_000,
}

/**
 * Verifies the header form of AWS Signature Version 4, and for S3 its query form, too; no other is accepted. The
 * secret itself is never here: the key core derives a signing key for one day, Region and service, which is kept.
 *
 * An unknown access key is refused before anything is hashed. Its error differs from that of a wrong signature, as
 * AWS's does, so equal timing would hide nothing; unknown, inactive and deleted keys cannot be told apart.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions & typeof defaults
  readonly #scopes: Scopes
  readonly #authorizations = new AuthorizationCache()
  readonly #signedHeaders = new SignedHeadersCache()
  readonly #keys: SigningKeys
  readonly #regions: ReadonlyMap<string, Region>

  constructor(options: AuthenticatorOptions) {
    this.#options = { ...defaults, ...options }
    this.#scopes = new Scopes(options.regions, options.services)
    const regions = [...options.regions].flatMap((name) => parseRegion(name) ?? [])
    this.#regions = new Map(regions.map((region) => [region, region]))
    this.#keys = new SigningKeys(options.signingKey, this.#options.signingKeysMax)
  }

  /**
   * Answers at once when signing key and session are at hand. Throws or rejects with ServiceError
   * 'missing-authentication', 'incomplete-signature', 'unrecognized-client', 'expired-token' or 'invalid-signature';
   * rejects with the key core's own error when it cannot be asked.
   */
  verify(request: HttpRequest): Authenticated | Promise<Authenticated> {
    const claim = this.#claim(request)
    const record = this.#recordOf(claim)
    if (!(record instanceof Promise)) return this.#verify(request, claim, record)
    return record.then((found) => this.#verify(request, claim, found))
  }

  /**
   * As `verify`, of a request to S3, of whose body only the head speaks yet: throws S3's own errors as well. Whoever is
   * answered calls `body.cancel` in the end.
   */
  verifyS3(request: HttpRequest): Authenticated | Promise<Authenticated> {
    const s3 = readS3Claim(request, this.#regions, this.#options.clock.now())
    const { authorization, time, region, token } = s3
    const headers = { ...s3.headers, securityToken: token }
    const claim = { authorization, headers, time, region, lines: '', s3 }
    const record = this.#recordOf(claim)
    if (!(record instanceof Promise)) return this.#verify(request, claim, record)
    return record.then((found) => this.#verify(request, claim, found))
  }

  #verify(
    request: HttpRequest,
    claim: Claim,
    record: CredentialRecord,
  ): Authenticated | Promise<Authenticated> {
    const canonicalHash = canonicalHashOf(claim.s3) ?? this.#canonicalHash(request, claim)
    const { credential, accessKeyId, date, region, service } = claim.authorization
    const key = this.#keys.find(credential, record.sealedSecret)
    if (key !== undefined) {
      requireSignature(claim, key, canonicalHash)
      return this.#identity(request, claim, record, key)
    }
    const { sealedSecret } = record
    const scope = { accessKeyId, sealedSecret, date, region, service }
    return this.#keys.derive(credential, scope).then(async (derived) => {
      requireSignature(claim, derived, canonicalHash)
      // The record may have changed meanwhile, and the change acts on everything that is answered after it.
      const now = await this.#recordOf(claim)
      if (now.sealedSecret !== sealedSecret) throw unrecognizedClient('access key replaced')
      return this.#identity(request, claim, now, derived)
    })
  }

  #identity(
    request: HttpRequest,
    claim: Claim,
    record: CredentialRecord,
    key: SigningKey,
  ): Authenticated {
    const identity = identityOf(claim, record)
    const { s3 } = claim
    if (s3 === undefined) return identity
    const payload = payloadOf(request, s3, key)
    const age = Math.max(0, this.#options.clock.now() - s3.time.at)
    const conditions = {
      's3:authType': s3.authType,
      's3:signatureAge': String(age),
      's3:signatureversion': algorithm,
      's3:x-amz-content-sha256': s3.contentSha256,
    }
    return { ...identity, ...payload, conditions }
  }

  #claim(request: HttpRequest): Claim {
    const headers = readHeaders(request.rawHeaders)
    const inQuery = hasQueryForm(request.target)
    if (headers.authorization === undefined) {
      throw missingAuthentication(inQuery ? 'signed in the query' : 'not signed')
    }
    if (inQuery) {
      throw invalidSignature(
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
      )
    }
    const dated = headers.amzDate !== undefined || headers.date !== undefined
    const authorization = this.#authorizations.read(headers.authorization, dated)
    const time = requestTime(headers.amzDate, headers.date)
    const region = this.#scopes.regionOf(authorization, time)
    const window = this.#options.windowMs ?? windowMsOf[authorization.service] ?? windowMs
    checkWindow(time, this.#options.clock.now(), window)
    const signed = this.#signedHeaders.read(authorization.signedHeaders)
    return { authorization, headers, time, region, lines: canonicalHeaders(headers, signed) }
  }

  #recordOf({ authorization, headers }: Claim): CredentialRecord | Promise<CredentialRecord> {
    const { accessKeyId, service } = authorization
    const token = headers.securityToken
    if (token !== undefined) {
      const session = this.#options.session?.(accessKeyId, token)
      return session instanceof Promise
        ? session.then((found) => this.#presentSession(found, service))
        : this.#presentSession(session, service)
    }
    if (accessKeyId.startsWith('ASIA')) throw unrecognizedClient('session key without its token')
    const record = this.#options.credential(accessKeyId)
    if (record?.status !== 'Active') throw unrecognizedClient('no such active access key')
    return record
  }

  #presentSession(session: SessionRecord | undefined, service: string): CredentialRecord {
    if (session?.status !== 'Active') throw unrecognizedClient('no such session')
    if (session.expiresAt <= this.#options.clock.now()) throw expiredToken()
    // AWS knows what GetSessionToken gave not at all in IAM, unless it was given for a code of an MFA device.
    if (service === 'iam' && session.caller.type !== 'role-session') {
      throw unrecognizedClient('a session of GetSessionToken in IAM')
    }
    return session
  }

  #canonicalHash(request: HttpRequest, { authorization, headers, lines }: Claim): string {
    const bodyHash = hash('sha256', request.body, 'hex')
    // The literals that stand for an unsigned or a streamed payload belong to S3: here they are just wrong.
    if (headers.contentSha256 !== undefined && headers.contentSha256 !== bodyHash) {
      throw mismatch('x-amz-content-sha256 is not the hash of the body')
    }
    return canonicalRequestHash({
      method: request.method,
      target: request.target,
      normalizePath: this.#options.normalizePath,
      headers: lines,
      signedHeaders: authorization.signedHeaders,
      bodyHash,
    })
  }
}

/** What a request says of itself; nothing of it is known to be true. */
type Claim = {
  readonly authorization: Authorization
  readonly headers: RequestHeaders
  readonly time: RequestTime
  readonly region: Region
  /** The canonical headers. */
  readonly lines: string
  readonly s3?: S3Claim
}

function requireSignature(
  { authorization, time, s3 }: Claim,
  key: SigningKey,
  canonicalHash: string,
): void {
  if (!key.verifies(authorization.signature, time.text, canonicalHash)) {
    if (s3 === undefined) throw mismatch('signature')
    const { accessKeyId, signature } = authorization
    const stringToSign = `${algorithm}\n${time.text}\n${scopeOf(authorization)}\n${canonicalHash}`
    const { canonicalRequest } = s3
    throw signatureMismatch({ accessKeyId, signature, stringToSign, canonicalRequest })
  }
}

function canonicalHashOf(s3: S3Claim | undefined): string | undefined {
  return s3 && hash('sha256', Buffer.from(s3.canonicalRequest, 'latin1'), 'hex')
}

function scopeOf({ credential, accessKeyId }: Authorization): string {
  return credential.slice(accessKeyId.length + 1)
}

/** A body that cannot be read is its caller's fault, who is known by now. */
function payloadOf(request: HttpRequest, s3: S3Claim, key: SigningKey) {
  const seal = sealOf(s3, key)
  try {
    return { body: new S3Payload(request, s3.headers, s3.contentSha256, seal) }
  } catch (error) {
    seal?.key.wipe()
    if (error instanceof ServiceError) return { refusal: error }
    throw error
  }
}

function sealOf(s3: S3Claim, key: SigningKey): ChunkSeal | undefined {
  const { authorization, contentSha256, time } = s3
  if (!contentSha256.startsWith('STREAMING-AWS4-')) return undefined
  const scope = scopeOf(authorization)
  return { key: key.forChunks(), timestamp: time.text, scope, seed: authorization.signature }
}

function identityOf({ authorization, region }: Claim, { caller }: CredentialRecord): Authenticated {
  const { accessKeyId, service } = authorization
  return { caller, region, service, accessKeyId }
}

function hasQueryForm(target: string): boolean {
  return target !== '/' && /[?&]x-amz-algorithm(=|&|$)/i.test(target)
}
