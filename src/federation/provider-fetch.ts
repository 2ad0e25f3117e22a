import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect as connectTcp, isIP } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { ServiceError } from '../base/errors.ts'
import { nowhere } from './provider-address.ts'
import { noKeys, unreachable } from './refusals.ts'

/**
 * What a provider publishes, over HTTPS alone. Whoever may register a provider chooses the host that is asked, so
 * nothing is sent before its certificate was verified, redirects are not followed, and of what comes back nothing is
 * told (`docs/threat-model.md`).
 */
export type ProviderFetch = (
  url: URL,
  /** SHA-1 of certificates, hexadecimal in lower case. */
  thumbprints: readonly string[],
) => Promise<Buffer>

export type FetchLimits = {
  /** For all of it, from the name's lookup to the last byte. */
  readonly timeoutMs: number
  readonly bytesMax: number
}

/** AWS waits five seconds as well. */
const defaults: FetchLimits = { timeoutMs: 5000, bytesMax: 256 * 1024 }

/**
 * Certificates are verified by the authorities that everybody trusts or, where those do not know the host, by a
 * certificate of the presented chain that has one of the thumbprints: the chain has to verify up to it, for this
 * host. Rejects with 'idp-communication' when there is no answer, and with 'invalid-identity-token' for one of no use.
 */
export function providerFetch(limits: FetchLimits = defaults): ProviderFetch {
  return async (url, thumbprints) => {
    const signal = AbortSignal.timeout(limits.timeoutMs)
    try {
      return await get(url, {}, limits, signal)
    } catch (error) {
      if (thumbprints.length === 0 || !untrusted.has(codeOf(error))) throw failureOf(error, url)
    }
    try {
      const anchor = await presentedAnchor(url, thumbprints, signal)
      const trust = { ca: anchor.toString(), allowPartialTrustChain: true }
      return await get(url, trust, limits, signal)
    } catch (error) {
      throw failureOf(error, url)
    }
  }
}

/** What OpenSSL says of a chain that ends in no authority that it knows. */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

type Trust = Pick<ConnectionOptions, 'ca' | 'allowPartialTrustChain' | 'rejectUnauthorized'>

function connect(url: URL, trust: Trust): TLSSocket {
  const host = hostOf(url)
  const port = url.port === '' ? 443 : Number(url.port)
  const socket = connectTcp({ host, port, blockList: nowhere })
  // An address is no server name (RFC 6066 §3); certificates are compared with it all the same.
  const servername = isIP(host) === 0 ? host : ''
  const verified = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const
  return connectTls({ ...verified, ...trust, socket, host, servername })
}

/** An IPv6 address without its brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

function get(url: URL, trust: Trust, limits: FetchLimits, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answered = false
    const sent = request(
      {
        host: hostOf(url),
        port: url.port,
        path: url.pathname + url.search,
        headers: { Accept: 'application/json', 'User-Agent': 'Kagiban', Connection: 'close' },
        signal,
        createConnection: () => connect(url, trust),
      },
      (response) => {
        answered = true
        read(response, limits.bytesMax).then(resolve, (error: unknown) => {
          sent.destroy()
          reject(error)
        })
      },
    )
    sent.on('error', reject)
    // A host that would rather speak another protocol (status 101) ends the request without an error.
    sent.on('close', () => {
      if (!answered) reject(unreachable('closed before there was an answer'))
    })
    sent.end()
  })
}

async function read(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const { statusCode = 0 } = response
  if (statusCode >= 500 || statusCode === 429) throw unreachable(`status ${statusCode}`)
  if (statusCode !== 200) throw noKeys(`status ${statusCode}`)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw noKeys(`an answer of more than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * The certificate with one of the thumbprints in the chain that the host presents. Nothing is sent over this
 * connection, and nothing in the chain is verified yet.
 */
function presentedAnchor(
  url: URL,
  thumbprints: readonly string[],
  signal: AbortSignal,
): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect(url, { rejectUnauthorized: false })
    const giveUp = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', giveUp)
    socket.once('close', () => {
      signal.removeEventListener('abort', giveUp)
      reject(unreachable('closed before a certificate was shown'))
    })
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const anchor = presentedChain(socket).find((each) => thumbprints.includes(sha1Of(each)))
      if (anchor === undefined) reject(unreachable('no certificate has one of the thumbprints'))
      else resolve(anchor)
      socket.destroy()
    })
    if (signal.aborted) giveUp()
  })
}

/** More certificates than any chain has. */
const chainMax = 16

function presentedChain(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let next = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && chain.length < chainMax) {
    chain.push(new X509Certificate(next.raw))
    if (next.issuerCertificate === next) break
    next = next.issuerCertificate
  }
  return chain
}

function sha1Of(certificate: X509Certificate): string {
  return certificate.fingerprint.replaceAll(':', '').toLowerCase()
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** What is not said yet as a refusal is one of the network, of TLS or of HTTP: nobody was there. */
function failureOf(error: unknown, url: URL): unknown {
  if (error instanceof ServiceError) return error
  const name = error instanceof Error ? error.name : 'a value'
  return unreachable(`${url.origin}: ${codeOf(error) || name}`, error)
}
