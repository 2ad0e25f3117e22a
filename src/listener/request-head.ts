/** The head of a request that keeps every rule (RFC 9112, the strict half of it). */
export type RequestHead = {
  readonly method: string
  /** In origin form, exactly as sent. */
  readonly target: string
  /** Name, value, name, value …, in the order and spelling of arrival, without the white space around values. */
  readonly rawHeaders: string[]
  /** Bytes of the head itself. */
  readonly bytes: number
  /** Bytes of the body; 0 for one in chunks, whose length its end tells. */
  readonly contentLength: number
  /** The body comes in the chunked transfer coding, which only bodies that stream may have. */
  readonly chunked: boolean
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
  /** The connection takes no request after this one. */
  readonly close: boolean
  /** It carries what may prove to be a signature. */
  readonly signed: boolean
}

/** The status that refuses a request which is none, or is one that is not served. */
export type RefusalStatus = 400 | 405 | 411 | 414 | 417 | 431

/** Longer targets are refused with 414. */
export const targetMax = 8192
/** More digits than any length that could be accepted; fewer than would lose precision as a number. */
const lengthDigitsMax = 15

/**
 * The methods that any AWS protocol uses. All others are answered with 405,
 * CONNECT and TRACE among them, which would make a proxy of this server, or a mirror for credentials.
 */
export const servedMethods: ReadonlySet<string> = new Set([
  ...['POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'],
])

/** 1 for the characters of a token (RFC 9110 §5.6.2). */
const tokenCharacters = new Uint8Array(256)
for (const character of "!#$%&'*+-.^_`|~") tokenCharacters[character.charCodeAt(0)] = 1
for (const character of '0123456789') tokenCharacters[character.charCodeAt(0)] = 1
for (let letter = 0; letter < 26; letter++) {
  tokenCharacters[0x41 + letter] = 1
  tokenCharacters[0x61 + letter] = 1
}

const tab = 0x09
const lineFeed = 0x0a
export const carriageReturn = 0x0d
const space = 0x20
const del = 0x7f

/**
 * Whether the bytes hold what no head may: a control character other than tab, a CR without its LF, a LF without its
 * CR. A CR that comes last is left to the look at what follows it. Looked at before anything is understood, so that no
 * later rule can be tricked about where a line ends.
 */
export function holdsForbiddenBytes(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if ((byte >= space && byte !== del) || byte === tab) continue
    if (byte !== carriageReturn) return true
    if (at + 1 === to) return false
    if (bytes[at + 1] !== lineFeed) return true
    at++
  }
  return false
}

/**
 * Reads a head: Latin-1, without the empty line that ends it and free of forbidden bytes. Anything that two parsers
 * could understand differently is refused.
 */
export function parseHead(text: string, headersMax: number): RequestHead | RefusalStatus {
  const firstEnd = text.indexOf('\r\n')
  const lineEnd = firstEnd === -1 ? text.length : firstEnd
  const targetEnd = lineEnd - 9
  const latest = text.startsWith(' HTTP/1.1', targetEnd)
  if (!latest && !text.startsWith(' HTTP/1.0', targetEnd)) return 400
  const methodEnd = text.indexOf(' ')
  if (methodEnd >= targetEnd) return 400
  const method = text.slice(0, methodEnd)
  if (!servedMethods.has(method)) {
    if (!isToken(text, 0, methodEnd)) return 400
    return 405
  }
  const target = text.slice(methodEnd + 1, targetEnd)
  if (!isOriginForm(target)) return 400
  if (target.length > targetMax) return 414
  const headers = new HeaderLines(latest)
  const refusal = headers.read(text, lineEnd + 2, headersMax)
  if (refusal !== undefined) return refusal
  const { rawHeaders, chunked, expectsContinue, close, signed } = headers
  return {
    method,
    target,
    rawHeaders,
    bytes: text.length,
    contentLength: Math.max(0, headers.contentLength),
    chunked,
    expectsContinue,
    close,
    signed,
  }
}

/** The header lines, and what the few that say how the message is framed have said so far. */
class HeaderLines {
  readonly rawHeaders: string[] = []
  contentLength = -1
  chunked = false
  expectsContinue = false
  signed = false
  close: boolean
  readonly #latest: boolean
  #hosts = 0

  constructor(latest: boolean) {
    this.#latest = latest
    // A client of HTTP/1.0 may ask to keep the connection, by a header that RFC 9112 §9.3 leaves to the server.
    this.close = !latest
  }

  read(text: string, from: number, headersMax: number): RefusalStatus | undefined {
    const end = text.length
    let count = 0
    for (let at = from; at < end; ) {
      const found = text.indexOf('\r\n', at)
      const lineEnd = found === -1 ? end : found
      const colon = text.indexOf(':', at)
      // White space before the colon and at the start of a line (folding) is no token either.
      if (colon === -1 || colon > lineEnd || !isToken(text, at, colon)) return 400
      if (++count > headersMax) return 431
      let valueAt = colon + 1
      let valueEnd = lineEnd
      while (valueAt < valueEnd && isBlank(text.charCodeAt(valueAt))) valueAt++
      while (valueEnd > valueAt && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
      const name = text.slice(at, colon)
      const value = text.slice(valueAt, valueEnd)
      this.rawHeaders.push(name, value)
      const refusal = this.#heed(name, value)
      if (refusal !== undefined) return refusal
      at = lineEnd + 2
    }
    // With both, two parsers could see two ends (RFC 9112 §6.1).
    if (this.chunked && this.contentLength !== -1) return 411
    return this.#hosts === 0 && this.#latest ? 400 : undefined
  }

  /** The length of a name tells almost all headers from those that matter here. */
  #heed(name: string, value: string): RefusalStatus | undefined {
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host' && ++this.#hosts > 1) return 400
        return undefined
      case 6:
        return name.toLowerCase() === 'expect' ? this.#expect(value) : undefined
      case 10:
        if (name.toLowerCase() === 'connection' && namesClose(value)) this.close = true
        return undefined
      case 13:
        if (name.toLowerCase() === 'authorization') this.signed = true
        return undefined
      case 14:
        return name.toLowerCase() === 'content-length' ? this.#frame(value) : undefined
      case 17:
        return name.toLowerCase() === 'transfer-encoding' ? this.#code(value) : undefined
      default:
        return undefined
    }
  }

  #expect(value: string): RefusalStatus | undefined {
    if (value.toLowerCase() !== '100-continue') return 417
    // RFC 9110 §10.1.1: from a client of HTTP/1.0 it means nothing.
    this.expectsContinue = this.#latest
    return undefined
  }

  /** No coding but `chunked`, once; a client of HTTP/1.0 knows none. */
  #code(value: string): RefusalStatus | undefined {
    if (this.chunked || !this.#latest || value.toLowerCase() !== 'chunked') return 411
    this.chunked = true
    return undefined
  }

  #frame(value: string): RefusalStatus | undefined {
    const digits = value.length
    if (this.contentLength !== -1 || digits === 0 || digits > lengthDigitsMax) return 400
    let length = 0
    for (let at = 0; at < digits; at++) {
      const digit = value.charCodeAt(at) - 0x30
      if (digit < 0 || digit > 9) return 400
      length = length * 10 + digit
    }
    this.contentLength = length
    return undefined
  }
}

function isToken(text: string, from: number, to: number): boolean {
  if (from >= to) return false
  for (let at = from; at < to; at++) {
    if (tokenCharacters[text.charCodeAt(at)] !== 1) return false
  }
  return true
}

/** A path with or without a query, in visible ASCII; never a fragment, which is not for servers. */
function isOriginForm(target: string): boolean {
  if (target.charCodeAt(0) !== 0x2f) return false
  for (let at = 1; at < target.length; at++) {
    const code = target.charCodeAt(at)
    if (code <= space || code > 0x7e || code === 0x23) return false
  }
  return true
}

function isBlank(code: number): boolean {
  return code === space || code === tab
}

/** Whether a Connection header (RFC 9110 §7.6.1, a list) has `close` in it. */
function namesClose(value: string): boolean {
  if (value === 'keep-alive') return false
  return value
    .toLowerCase()
    .split(',')
    .some((option) => option.trim() === 'close')
}
