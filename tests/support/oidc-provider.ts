import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../vectors/oidc')

export function vector(name: string): Buffer {
  return readFileSync(join(folder, name))
}

export type Algorithm = 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512'

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const

export type SigningKey = {
  readonly kid: string | undefined
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function newSigningKey(
  algorithm: Algorithm = 'ES256',
  kid: string | undefined = randomUUID(),
): SigningKey {
  const pair =
    algorithm in curves
      ? generateKeyPairSync('ec', { namedCurve: curves[algorithm as keyof typeof curves] })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { kid, algorithm, ...pair }
}

export function jwkOf({ kid, algorithm, publicKey }: SigningKey): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }
}

export type Claims = Readonly<Record<string, unknown>>

/** A JSON Web Token, put together without the library that reads it. */
export function tokenOf(key: SigningKey, claims: Claims, header: Claims = {}): string {
  const { kid, algorithm, privateKey } = key
  const text = unsignedToken({ alg: algorithm, typ: 'JWT', kid, ...header }, claims)
  const hash = `sha${algorithm.slice(2)}`
  const signature = sign(hash, Buffer.from(text), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${text}.${signature.toString('base64url')}`
}

/** An HMAC whose key is what everybody can read: the public key of `key`. */
export function confusedToken(key: SigningKey, claims: Claims): string {
  const text = unsignedToken({ alg: 'HS256', typ: 'JWT', kid: key.kid }, claims)
  const secret = key.publicKey.export({ format: 'pem', type: 'spki' })
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

export function unsignedToken(header: Claims, claims: Claims): string {
  return [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
}

type Answer = (response: ServerResponse) => void

/** An OpenID provider on loopback, which says what a test has it say. */
export class OidcProvider {
  keys: SigningKey[] = [newSigningKey()]
  /** Instead of the usual answers, by path. */
  readonly answers = new Map<string, Answer>()
  /** Paths in the order in which they were asked for. */
  readonly asked: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #path: string
  #port = 0

  private constructor(certificates: readonly string[], path: string) {
    this.#path = path
    const cert = certificates.map((name) => vector(name).toString()).join('')
    const key = vector('server-key.pem')
    this.#server = createServer({ cert, key }, (request, response) => {
      this.asked.push(request.url ?? '')
      const answer = this.answers.get(request.url ?? '') ?? this.#usual(request.url ?? '')
      answer(response)
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** `certificates`: files in `tests/vectors/oidc`, the server's own first. */
  static async start(
    certificates: readonly string[] = ['server.pem', 'authority.pem'],
    path = '',
  ): Promise<OidcProvider> {
    const provider = new OidcProvider(certificates, path)
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve))
    provider.#port = (provider.#server.address() as AddressInfo).port
    return provider
  }

  /** As in the ARN of the provider. */
  get url(): string {
    return `localhost:${this.#port}${this.#path}`
  }

  get issuer(): string {
    return `https://${this.url}`
  }

  get configurationPath(): string {
    return `${this.#path.replace(/\/$/, '')}/.well-known/openid-configuration`
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Claims of a good token; `now` in ms since the epoch. */
  claims(now: number, claims: Claims = {}): Claims {
    const seconds = Math.floor(now / 1000)
    const times = { iat: seconds, exp: seconds + 600 }
    return { iss: this.issuer, sub: 'somebody', aud: 'kagiban', ...times, ...claims }
  }

  /** A token of the first key. */
  token(now: number, claims: Claims = {}, header: Claims = {}): string {
    const [key] = this.keys
    if (key === undefined) throw new Error('the provider has no key')
    return tokenOf(key, this.claims(now, claims), header)
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #usual(path: string): Answer {
    if (path === this.configurationPath) {
      return json({ issuer: this.issuer, jwks_uri: `https://localhost:${this.#port}/keys` })
    }
    if (path === '/keys') return json({ keys: this.keys.map(jwkOf) })
    return (response) => void response.writeHead(404).end()
  }
}

export function json(value: unknown): Answer {
  return (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  }
}
