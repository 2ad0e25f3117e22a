import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Limits } from './limits.ts'

/** PEM: the chain, the server's own certificate first, and its private key. */
export type Certificate = { readonly cert: Buffer; readonly key: Buffer }

/**
 * node's HTTP server, or its HTTPS server with TLS 1.3 (RFC 8446) and nothing older, with its strict parser and its
 * own limits set. Throws when the certificate cannot be read or does not fit its key.
 */
export function createHttpServer(
  limits: Limits,
  sweepMs: number,
  tls: Certificate | undefined,
): Server {
  const options = {
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: Math.min(limits.headerMs, limits.requestMs),
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: sweepMs,
    // Our own sweep does it: node would set a timer on the socket twice a request.
    keepAliveTimeout: 0,
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
  // Zero keeps all of them. Any other number would drop the rest in silence, which hides headers from who verifies.
  server.maxHeadersCount = 0
  return server
}
