import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'

export const emptySha256 = createHash('sha256').digest('hex')

export type ToSign = {
  readonly method: string
  /** As it is sent. */
  readonly path: string
  /** As it is sent: sorted and encoded by `encodeQuery`. */
  readonly query: string
  /** Names in lower case, values without blanks around them. All are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the body, in hex. */
  readonly sha256: string
}

/**
 * Signature Version 4 in the `Authorization` header, with the hash of the body in it. Bodies are in memory before they
 * are sent, so that each is signed as a whole, over TLS and without it: what an engine stored is what was signed, or it
 * has refused it. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export class UpstreamSigner {
  readonly #accessKeyId: string
  readonly #region: string
  readonly #secret: Buffer
  #key: { readonly day: string; readonly key: KeyObject } | undefined

  /** The secret becomes the signer's, and is wiped by `wipe`. */
  constructor(accessKeyId: string, secret: Buffer, region: string) {
    this.#accessKeyId = accessKeyId
    this.#region = region
    this.#secret = Buffer.concat([Buffer.from('AWS4'), secret])
    secret.fill(0)
  }

  /** The headers of the request, with those that sign it. */
  sign({ method, path, query, headers, sha256 }: ToSign, now: number): Record<string, string> {
    const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
    const day = time.slice(0, 8)
    const signed = { ...headers, 'x-amz-content-sha256': sha256, 'x-amz-date': time }
    const entries = Object.entries(signed).sort(([a], [b]) => (a < b ? -1 : 1))
    const names = entries.map(([name]) => name).join(';')
    const lines = entries.map(([name, value]) => `${name}:${value}\n`).join('')
    const request = `${method}\n${path}\n${query}\n${lines}\n${names}\n${sha256}`
    const scope = `${day}/${this.#region}/s3/aws4_request`
    const digest = createHash('sha256').update(request).digest('hex')
    const signature = createHmac('sha256', this.#keyOf(day))
      .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`)
      .digest('hex')
    const credential = `${this.#accessKeyId}/${scope}`
    return {
      ...signed,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`,
    }
  }

  wipe(): void {
    this.#secret.fill(0)
    this.#key = undefined
  }

  #keyOf(day: string): KeyObject {
    if (this.#key?.day === day) return this.#key.key
    let bytes = this.#secret
    for (const part of [day, this.#region, 's3', 'aws4_request']) {
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

/** Parameters in the order and the encoding that are signed. */
export function encodeQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
