import { RawConnection, requestBytes } from './raw-http.ts'
import { type Credentials, signedHeaders } from './signer.ts'

/** A whole answer to a call; without one there is no Answer, and nobody knows what happened. */
export type Answer = {
  readonly status: number
  /** The `__type` of an error. */
  readonly error: string | undefined
  readonly requestId: string
  readonly body: Record<string, unknown>
}

/**
 * One keep-alive connection that calls KMS by hand: far cheaper than an SDK, and it tells an answer that came whole
 * from one that did not.
 */
export class JsonClient {
  readonly #endpoint: string
  readonly #credentials: Credentials
  readonly #region: string
  #connection: RawConnection | undefined

  constructor(endpoint: string, credentials: Credentials, region = 'us-east-1') {
    this.#endpoint = endpoint
    this.#credentials = credentials
    this.#region = region
  }

  /** The answer, or undefined when the connection could not be made or ended without a whole one. */
  async call(operation: string, input: object): Promise<Answer | undefined> {
    const connection = await this.#connect()
    if (connection === undefined) return undefined
    connection.write(kmsRequest(this.#endpoint, this.#credentials, this.#region, operation, input))
    const response = await connection.response(30_000)
    if (response === undefined) {
      this.close()
      return undefined
    }
    const text = response.body.toString('utf8')
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    const requestId = response.headers.get('x-amzn-requestid') ?? ''
    const type = body['__type']
    const error = typeof type === 'string' ? type : undefined
    return { status: response.status, error, requestId, body }
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  async #connect(): Promise<RawConnection | undefined> {
    if (this.#connection?.ended) this.close()
    try {
      this.#connection ??= await RawConnection.open(this.#endpoint)
      return this.#connection
    } catch {
      return undefined
    }
  }
}

/** The bytes of a signed KMS call, as the SDKs shape it. */
export function kmsRequest(
  endpoint: string,
  credentials: Credentials,
  region: string,
  operation: string,
  input: object,
): Buffer {
  const body = Buffer.from(JSON.stringify(input))
  const headers = signedHeaders(
    {
      method: 'POST',
      path: '/',
      headers: [
        ['content-type', 'application/x-amz-json-1.1'],
        ['x-amz-target', `TrentService.${operation}`],
      ],
      body,
    },
    { host: new URL(endpoint).host, region, service: 'kms', date: new Date() },
    credentials,
  )
  return requestBytes('POST', '/', headers, body)
}
