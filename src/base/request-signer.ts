import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { percentEncoded } from './percent-encoding.ts'

export type SigningCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: Buffer
  readonly sessionToken?: string | undefined
}

export type SigningScope = { readonly region: string; readonly service: string }

export type RequestToSign = {
  readonly method: string
  /** As it is sent. */
  readonly path: string
  /** As it is sent: what `canonicalQuery` makes. */
  readonly query: string
  /** Names in lower case, values of bytes (Latin-1). All are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the body: what `sha256Hex` makes. */
  readonly sha256: string
}

/** Of a body, as `RequestToSign` has it. */
export function sha256Hex(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

export const emptySha256 = sha256Hex(Buffer.alloc(0))

/**
 * Signs requests that are about to be sent to AWS, or to what speaks its protocols: Signature Version 4 in the
 * `Authorization` header, with the hash of the whole body in it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export class RequestSigner {
  readonly #accessKeyId: string
  readonly #sessionToken: string | undefined
  readonly #scope: SigningScope
  readonly #secret: Buffer
  #key: { readonly day: string; readonly key: KeyObject } | undefined

  /** The secret becomes the signer's: the buffer is wiped now, the signer's own by `wipe`. */
  constructor(credentials: SigningCredentials, scope: SigningScope) {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    this.#accessKeyId = accessKeyId
    this.#sessionToken = sessionToken
    this.#scope = scope
    this.#secret = Buffer.concat([Buffer.from('AWS4'), secretAccessKey])
    secretAccessKey.fill(0)
  }

  /** The headers of the request, with those that sign it; `now` in ms since the epoch. */
  sign(request: RequestToSign, now: number): Readonly<Record<string, string>> {
    const { method, path, query, sha256 } = request
    const { region, service } = this.#scope
    const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
    const day = time.slice(0, 8)
    const headers: Record<string, string> = { ...request.headers, 'x-amz-date': time }
    if (service === 's3') headers['x-amz-content-sha256'] = sha256
    if (this.#sessionToken !== undefined) headers['x-amz-security-token'] = this.#sessionToken
    const names = Object.keys(headers).sort()
    const lines = names.map((name) => `${name}:${folded(headers[name] ?? '')}\n`).join('')
    const signed = names.join(';')
    const canonical = `${method}\n${path}\n${query}\n${lines}\n${signed}\n${sha256}`
    const digest = sha256Hex(Buffer.from(canonical, 'latin1'))
    const scope = `${day}/${region}/${service}/aws4_request`
    const signature = createHmac('sha256', this.#keyOf(day))
      .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`)
      .digest('hex')
    const credential = `${this.#accessKeyId}/${scope}`
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`
    return { ...headers, authorization }
  }

  wipe(): void {
    this.#secret.fill(0)
    this.#key = undefined
  }

  #keyOf(day: string): KeyObject {
    if (this.#key?.day === day) return this.#key.key
    const { region, service } = this.#scope
    let bytes = this.#secret
    for (const part of [day, region, service, 'aws4_request']) {
      const next = createHmac('sha256', bytes).update(part).digest()
      if (bytes !== this.#secret) bytes.fill(0)
      bytes = next
    }
    const key = createSecretKey(bytes)
    bytes.fill(0)
    this.#key = { day, key }
    return key
  }
}

/** Parameters in the order and the encoding in which they are signed, which is how they are sent as well. */
export function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Trimmed, with each run of blanks as one space. */
function folded(value: string): string {
  return value.replace(/[ \t]+/g, ' ').trim()
}
