/**
 * What a client may ask of the listener, whoever it is: nothing here is authenticated yet.
 *
 * What is limited for all together can be held full by one, until deadlines take it away. So one remote address (of
 * IPv6: its /64) has no more than a share, and what carries no signature gets little. What remains: many addresses
 * together, and requests that carry an Authorization header that nobody has verified yet.
 */
export type Limits = {
  /** Request line and headers together. Beyond: 431. */
  readonly headerBytes: number
  /** Header lines. Beyond: 431. */
  readonly headers: number
  /** One body. Beyond: 413. */
  readonly bodyBytes: number
  /** One body of a request without an Authorization header, which can only be refused. Beyond: 413. */
  readonly unsignedBodyBytes: number
  /** All requests together that were not answered yet: heads, bodies, 2 KiB for each. Beyond: 503. */
  readonly bufferedBytes: number
  /** The part of them that one address may hold. Beyond: 503. */
  readonly bufferedBytesPerAddress: number
  /** What a request holds whose body, or whose answer, streams. */
  readonly streamBytes: number
  /** A body that streams may take as long as it likes, if so many bytes come in each `requestMs`. */
  readonly streamedBytesMin: number
  /** Connections at once, those in a TLS handshake included; further ones are closed as they come. */
  readonly connections: number
  /** The part of them that one address may hold. */
  readonly connectionsPerAddress: number
  /** While there are more connections than this, one whose request was not signed is closed behind the answer. */
  readonly connectionsKeptUnsigned: number
  /**
   * Whether the shares of an address hold for loopback as well. Behind it stand all programs of this machine, and all
   * clients of a proxy that ends TLS on it.
   */
  readonly limitLoopback: boolean
  /** Unanswered requests of one connection. Beyond: 503. */
  readonly pipelined: number
  /** From the first byte of a request to the end of its headers, and from connecting to the first request. */
  readonly headerMs: number
  /** From the first byte of a request to its last, unless its body streams. */
  readonly requestMs: number
  /** Between two pieces of a body. */
  readonly bodyIdleMs: number
  /** Between an answer and the next request. */
  readonly keepAliveMs: number
  /** From the answer to the moment when the client has taken its last byte. */
  readonly writeMs: number
  /** How long `drain` waits for requests in flight. */
  readonly drainMs: number
}

export const defaultLimits: Limits = {
  headerBytes: 16 * 1024,
  headers: 100,
  bodyBytes: 1024 * 1024,
  unsignedBodyBytes: 64 * 1024,
  bufferedBytes: 64 * 1024 * 1024,
  bufferedBytesPerAddress: 16 * 1024 * 1024,
  streamBytes: 192 * 1024,
  streamedBytesMin: 64 * 1024,
  connections: 1024,
  connectionsPerAddress: 256,
  connectionsKeptUnsigned: 512,
  limitLoopback: false,
  pipelined: 16,
  headerMs: 10_000,
  requestMs: 30_000,
  bodyIdleMs: 10_000,
  keepAliveMs: 60_000,
  writeMs: 30_000,
  drainMs: 10_000,
}

/**
 * How often deadlines are looked at. One timer for all connections: a timer for each request would cost more than
 * anything it could find.
 */
export function sweepMsOf(limits: Limits): number {
  const { headerMs, requestMs, bodyIdleMs, keepAliveMs, writeMs } = limits
  const shortest = Math.min(headerMs, requestMs, bodyIdleMs, keepAliveMs, writeMs)
  return Math.min(1000, Math.max(20, Math.floor(shortest / 4)))
}
