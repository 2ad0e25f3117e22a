import { createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Limits } from './limits.ts'

/** PEM: the chain, the server's own certificate first, and its private key. */
export type Certificate = { readonly cert: Buffer; readonly key: Buffer }

/**
 * A server of connections, or of TLS 1.3 (RFC 8446) and nothing older. Throws when the certificate cannot be read or
 * does not fit its key.
 */
export function createConnectionServer(limits: Limits, tls: Certificate | undefined): Server {
  const options = {
    // A client that has said all may still wait for its answer.
    allowHalfOpen: true,
    noDelay: true,
  }
  const server: Server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({
          ...options,
          cert: tls.cert,
          key: tls.key,
          minVersion: 'TLSv1.3',
          ALPNProtocols: ['http/1.1'],
          handshakeTimeout: limits.headerMs,
        })
  server.maxConnections = limits.connections
  return server
}
